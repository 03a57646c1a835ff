"""How a benchmark speaks: figures on the standard output, one `name value unit` a line, all else on the other."""

import sys

# Digits behind the point say nothing beyond.
_WHOLE_FROM = 1_000


def figure(name: str, value: float, unit: str) -> None:
    """Print a figure: `load_vs_copy 0.61 ratio`."""
    print(f"{name} {value:{'.3g' if abs(value) < _WHOLE_FROM else '.0f'}} {unit}", flush=True)


def say(text: str) -> None:
    """Tell who waits what goes on."""
    print(text, file=sys.stderr, flush=True)

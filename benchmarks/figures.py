"""How a benchmark speaks: figures on the standard output, one `name value unit` a line, all else on the other."""

import sys


def figure(name: str, value: float, unit: str) -> None:
    """Print a figure: `load_vs_copy 0.61 ratio`."""
    print(f"{name} {value:.3g} {unit}" if abs(value) < 1_000 else f"{name} {value:.0f} {unit}", flush=True)  # noqa: PLR2004


def say(text: str) -> None:
    """Tell who waits what goes on."""
    print(text, file=sys.stderr, flush=True)

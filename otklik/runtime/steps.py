"""Steps of a long command, each shown with what it does and how long it took."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Step:
    """One step under way; `note` says in a few words what came of it."""

    def __init__(self) -> None:
        self.outcome = ""

    def note(self, outcome: str) -> None:
        self.outcome = outcome


class Steps:
    """Shows steps as they run: a spinner on a terminal, and a line that stays when one ends.

    Usable from several threads: steps that run side by side are shown together.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        # What is under way is for people; a log gets the lines that stay.
        still = not self._console.is_terminal
        self._progress = Progress(*columns, console=self._console, transient=True, disable=still)

    def __enter__(self) -> "Steps":
        self._began = time.monotonic()
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        if error is None:
            self._console.print(f"  All steps: {time.monotonic() - self._began:.1f} s", highlight=False)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run the body as a step called `title`."""
        step, began = Step(), time.monotonic()
        title = escape(title)
        task = self._progress.add_task(title)
        mark = "[red]✗[/]"
        try:
            yield step
            mark = "[green]✓[/]"
        finally:
            self._progress.remove_task(task)
            outcome = f" [dim]· {escape(step.outcome)}[/]" if step.outcome else ""
            took = f"[dim]{time.monotonic() - began:.1f} s[/]"
            self._console.print(f"{mark} {title}{outcome} {took}", highlight=False, soft_wrap=True)

    def together(self, *chains: Callable[[], None]) -> None:
        """Run chains of steps side by side to their ends; raises the first chain's error, if any failed."""
        with ThreadPoolExecutor(max_workers=len(chains)) as pool:
            futures = [pool.submit(chain) for chain in chains]
        for future in futures:
            future.result()

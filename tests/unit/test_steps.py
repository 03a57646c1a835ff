"""Each step of a long command leaves a line: what it did, what came of it, how long it took."""

import re
import threading
from io import StringIO

import pytest
from rich.console import Console

from otklik.runtime.steps import Steps


@pytest.fixture
def screen() -> Console:
    return Console(file=StringIO(), width=100)


def lines(screen: Console) -> list[str]:
    """What was printed, with figures of time made equal."""
    assert isinstance(screen.file, StringIO)
    text = re.sub(r"\d+\.\d s", "0.0 s", screen.file.getvalue())
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_a_step_says_what_came_of_it_and_how_long_it_took(screen: Console) -> None:
    with Steps(screen) as steps:
        with steps.step("Make the bed") as step:
            step.note("two pillows")
        with steps.step("Sleep"):
            pass
    assert lines(screen) == ["✓ Make the bed · two pillows 0.0 s", "✓ Sleep 0.0 s", "  All steps: 0.0 s"]


def test_a_failed_step_is_marked_and_its_error_goes_on(screen: Console) -> None:
    with pytest.raises(ValueError, match="no bed"), Steps(screen) as steps, steps.step("Sleep"):
        raise ValueError("no bed")
    assert lines(screen) == ["✗ Sleep 0.0 s"]


def test_square_brackets_of_a_note_are_shown_as_they_are(screen: Console) -> None:
    with Steps(screen) as steps, steps.step("Load [a] file") as step:
        step.note("rows [1:5]")
    assert lines(screen)[0] == "✓ Load [a] file · rows [1:5] 0.0 s"


def test_chains_run_side_by_side(screen: Console) -> None:
    meeting = threading.Barrier(2, timeout=10)

    def chain(name: str) -> None:
        with steps.step(name):
            # Passed only when both are under way at the same time.
            meeting.wait()

    with Steps(screen) as steps:
        steps.together(lambda: chain("Left"), lambda: chain("Right"))
    assert sorted(lines(screen)[:2]) == ["✓ Left 0.0 s", "✓ Right 0.0 s"]


def test_a_chain_that_fails_lets_the_other_finish_and_fails_the_whole(screen: Console) -> None:
    finished = threading.Event()

    def fails() -> None:
        raise ValueError("left")

    with pytest.raises(ValueError, match="left"), Steps(screen) as steps:
        steps.together(fails, finished.set)
    assert finished.is_set()

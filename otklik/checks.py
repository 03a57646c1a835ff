"""Run a suite of expectations, in a process of its own: Great Expectations takes seconds to import."""

import sys

from otklik.errors import OtklikError
from otklik.programs import run_logged
from otklik.settings import Settings

HOLDS, CRITICAL, CANNOT_RUN = 0, 1, 2


class ChecksError(OtklikError):
    """A critical expectation failed, or the suite cannot be run as written."""


def run_suite(suite: str, settings: Settings) -> None:
    """Run a suite ('raw' or 'marts') and return when nothing critical failed.

    Raises ChecksError when something did, or when the suite itself is wrong; RuntimeError when the run broke
    off and may be tried again.
    """
    code = run_logged([sys.executable, "-m", "expectations", suite], settings.environment())
    if code == CRITICAL:
        raise ChecksError(
            f"Suite {suite}: a critical expectation failed. They are named above, in quality.check_result and in "
            f"the quality reports under {settings.var / 'site' / 'quality'}"
        )
    if code == CANNOT_RUN:
        raise ChecksError(f"Suite {suite} cannot be run: correct expectations/suites/{suite}.yml as said above")
    if code != HOLDS:
        raise RuntimeError(f"Suite {suite} broke off with exit code {code}; its last words are above")

"""Run the suites of expectations, in a process of their own: Great Expectations takes seconds to import."""

import sys

from otklik.errors import OtklikError
from otklik.programs import run_logged
from otklik.settings import Settings
from otklik.warehouse.publish import SUITES

HOLDS, CRITICAL, CANNOT_RUN = 0, 1, 2


class ChecksError(OtklikError):
    """A critical expectation failed, or a suite cannot be run as written."""


def check_build(settings: Settings) -> None:
    """Run every suite on the build that is not published yet; return when nothing critical failed.

    Raises ChecksError when something did, or when a suite itself is wrong; RuntimeError when the run broke off and may
    be tried again.
    """
    code = run_logged([sys.executable, "-m", "expectations", *SUITES, "--next"], settings.environment())
    if code == CRITICAL:
        raise ChecksError(
            f"A critical expectation failed. They are named above, in quality.check_result and in the quality "
            f"reports under {settings.var / 'site' / 'quality'}"
        )
    if code == CANNOT_RUN:
        raise ChecksError("A suite cannot be run: correct its file in expectations/suites/ as said above")
    if code != HOLDS:
        raise RuntimeError(f"The checks broke off with exit code {code}; their last words are above")

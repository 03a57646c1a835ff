"""Run a program of ours as a process of its own, what it says going line by line into our own output."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from otklik.settings import PROJECT


def run_logged(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run `command` in the project's folder with `environment` on top of ours; return its exit code."""
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=os.environ | environment | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    with process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe, as asked above
        for line in process.stdout:
            sys.stdout.write(line)
        return process.wait()

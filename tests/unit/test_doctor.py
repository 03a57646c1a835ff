"""The doctor compares an environment with its lock."""

import sys
from pathlib import Path

from otklik.runtime.doctor import differences
from otklik.settings import PROJECT

LOCK = """# a lock
rich==15.0.0 \\
    --hash=sha256:0000
    # via otklik
psycopg[binary]==3.3.9 ; sys_platform == 'linux' \\
    --hash=sha256:0000
"""


def differences_from(text: str, folder: Path) -> list[str]:
    (folder / "lock.txt").write_text(text)
    return differences(Path(sys.prefix), folder / "lock.txt")


def test_this_environment_is_as_its_lock_says() -> None:
    assert differences(Path(sys.prefix), PROJECT / "requirements.txt") == []


def test_another_version_and_an_absent_package_are_told(tmp_path: Path) -> None:
    assert differences_from(LOCK, tmp_path) == []
    assert differences_from(LOCK.replace("15.0.0", "1.0.0"), tmp_path) == ["rich==1.0.0 (has 15.0.0)"]
    assert differences_from("no-such-package==1.0 \\\n", tmp_path) == ["no-such-package==1.0 (has none)"]


def test_a_package_for_another_system_may_be_absent(tmp_path: Path) -> None:
    assert differences_from("pywin32==306 ; sys_platform == 'win32' \\\n", tmp_path) == []

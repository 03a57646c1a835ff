"""The stand-ins of the made-up region as `make demo` starts them: a process of its own with its credentials file."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from otklik.demo.pages import pages

EVENING = "2022-12-31T23:00:00+05:00"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(credentials: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "otklik.demo.standin", "--port", str(port), "--now", EVENING, "--no-limits"]
    process = subprocess.Popen([*command, "--credentials", str(credentials)], stderr=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _wait_for(url: str, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None, process.communicate()[1]
        try:
            httpx.get(f"{url}/_control/log")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the stand-ins did not start in 30 seconds")


def test_the_server_tells_members_by_its_own_clock_to_who_has_its_credentials(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    with serving(file) as url:
        assert file.stat().st_mode & 0o777 == 0o600
        token = json.loads(file.read_text(encoding="utf-8"))["vk_token"]
        page = next(page for page in pages() if page.title == "Администрация города Екатеринбурга")
        question = {"group_ids": page.number, "fields": "members_count", "v": "5.199"}
        answer = httpx.post(f"{url}/vk/method/groups.getById", data=question | {"access_token": token})
        assert answer.json()["response"]["groups"][0]["members_count"] == 100_867
        assert answer.headers.get_list("date")[0].startswith("Sat, 31 Dec 2022 18:0")
        refused = httpx.post(f"{url}/vk/method/groups.getById", data=question | {"access_token": "other"})
        assert refused.json()["error"]["error_code"] == 5


def test_credentials_are_kept_for_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    with serving(file):
        first = file.read_text(encoding="utf-8")
    with serving(file):
        assert file.read_text(encoding="utf-8") == first


def test_a_clock_without_an_offset_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "otklik.demo.standin", "--port", "1", "--now", "2022-12-31T23:00:00"]
    command += ["--credentials", str(tmp_path / "c.json")]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert run.returncode == 2
    assert "write it like 2022-12-31T23:00:00+05:00" in run.stderr

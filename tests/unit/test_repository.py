"""Rules of CONTRIBUTING.md that a machine can hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from otklik.settings import PROJECT

LOCKS = ("requirements.txt", "requirements-dev.txt", "superset/requirements.txt", "deploy/requirements-celery.txt")
KEPT = [
    PROJECT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    if (PROJECT / name).is_file()
]


def modules(folder: str) -> list[Path]:
    return [path for path in KEPT if path.suffix == ".py" and path.is_relative_to(PROJECT / folder)]


def imports(path: Path, *, everywhere: bool) -> Iterator[str]:
    """Every module imported; with `everywhere` off only those imported as the file is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def is_of(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", modules("otklik/sources") + modules("otklik/contracts"), ids=lambda path: path.name)
def test_sources_and_contracts_know_neither_airflow_nor_the_warehouse(path: Path) -> None:
    forbidden = ("airflow", "sqlalchemy", "psycopg", "otklik.warehouse")
    assert not [module for module in imports(path, everywhere=True) if is_of(module, forbidden)]


@pytest.mark.parametrize("path", modules("otklik"), ids=lambda path: path.name)
def test_nothing_in_otklik_imports_a_timetable_or_a_check(path: Path) -> None:
    assert not [module for module in imports(path, everywhere=True) if is_of(module, ("dags", "expectations"))]


@pytest.mark.parametrize("path", modules("dags"), ids=lambda path: path.name)
def test_a_dag_imports_nothing_slow(path: Path) -> None:
    import sys

    quick = ("airflow.sdk", "pendulum", "otklik.errors", "assets", "inbox", "timetable", *sys.stdlib_module_names)
    assert not [module for module in imports(path, everywhere=False) if not is_of(module, quick)]


def test_no_file_of_code_is_longer_than_400_lines() -> None:
    code = [path for path in KEPT if path.suffix in (".py", ".sql", ".j2", ".sh")]
    assert not [path.name for path in code if len(path.read_text(encoding="utf-8").splitlines()) > 400]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_exact_versions_with_hashes_and_no_address(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    entries = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    assert entries
    for entry in entries:
        assert re.match(r"^[a-z0-9._-]+(\[[a-z0-9,._-]+\])?==[^\s;]+( ; .+?)?( --hash=sha256:[0-9a-f]{64})+$", entry), (
            entry
        )
    assert "://" not in text


@pytest.mark.parametrize("name", ["requirements-dev.txt", "deploy/requirements-celery.txt"])
def test_a_lock_on_top_of_requirements_agrees_with_it(name: str) -> None:
    below, above = versions("requirements.txt"), versions(name)
    assert {package: version for package, version in above.items() if below.get(package, version) != version} == {}


def versions(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", (PROJECT / lock).read_text(encoding="utf-8"), re.MULTILINE))


def test_every_relative_link_of_the_documents_leads_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in KEPT
        if page.suffix == ".md"
        # Superset serves /help/…: tests/unit/test_help.py follows those.
        for target in re.findall(r"\]\((?!/help/)([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []

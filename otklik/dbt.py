"""Run dbt as a process of its own, and say model by model what it did."""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from otklik.errors import OtklikError
from otklik.programs import run_logged
from otklik.settings import PROJECT, Settings
from otklik.site import write_start_page
from otklik.warehouse import builds

PROGRAM = Path(sys.executable).with_name("dbt")
_FAILED = ("error", "fail", "runtime error")


class ModelError(OtklikError):
    """dbt failed on a model or on one of its tests."""


@dataclass(frozen=True)
class ModelResult:
    """What a run of dbt did about one model (or seed, or lone test)."""

    name: str
    status: str  # success | error | skipped
    seconds: float
    rows: int | None
    message: str
    compiled_path: str | None
    failed_tests: tuple[str, ...]
    warned_tests: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as a task can hand it on."""
        return asdict(self)


def build(settings: Settings, *, full_refresh: bool = False) -> list[ModelResult]:
    """Build and test the marts beside those that people see; return the result of each model, failed or not.

    Only what came since they were built last is taken in. All of history is built anew when `full_refresh` asks for it,
    and when the marts that people see were built anew since. What became of it is noted in quality.build.
    Raises RuntimeError when dbt could not begin (the project does not parse, the warehouse does not answer).
    """
    with psycopg.connect(settings.dsn("publisher"), autocommit=True) as connection, builds.alone(connection):
        return _build(connection, settings, builds.plan(connection, full_refresh=full_refresh))


def _build(connection: psycopg.Connection[Any], settings: Settings, plan: builds.Plan) -> list[ModelResult]:
    results = target(settings) / "run_results.json"
    # Removed first, so that results of an earlier run are never taken for this one's.
    results.unlink(missing_ok=True)
    started = datetime.now(UTC)
    code = _dbt(["build", "--selector", "night", *(["--full-refresh"] if plan.is_full_refresh else [])], settings)
    told = json.loads(results.read_text(encoding="utf-8")) if results.exists() else None
    # A run that did not begin has no number of its own.
    build_id = UUID(told["metadata"]["invocation_id"]) if told else uuid4()
    manifest = json.loads((target(settings) / "manifest.json").read_text(encoding="utf-8")) if told else {}
    with connection.transaction():
        builds.note(connection, builds.Build(build_id, started, datetime.now(UTC), code == 0, plan))
        builds.note_results(connection, build_id, results_kept(told["results"], manifest) if told else ())
    if told is None:
        raise RuntimeError(f"dbt ended with exit code {code} before it built anything; its last words are above")
    return model_results(told["results"], manifest)


def check_freshness(settings: Settings) -> bool:
    """Ask dbt how old the newest data of every source is, keep it; return whether all are within their limits."""
    told = target(settings) / "sources.json"
    told.unlink(missing_ok=True)
    code = _dbt(["source", "freshness", "--output", str(told)], settings)
    if told.exists():
        found = json.loads(told.read_text(encoding="utf-8"))["results"]
        ages = [(one["unique_id"].rpartition(".")[2], one.get("max_loaded_at"), one["status"]) for one in found]
        with psycopg.connect(settings.dsn("publisher")) as connection:
            builds.note_freshness(connection, datetime.now(UTC), ages)
    return code == 0


def publish_docs(settings: Settings) -> Path:
    """Write dbt's documentation as one page under the static site and return its path."""
    if _dbt(["docs", "generate", "--static"], settings, side="live"):
        raise RuntimeError("dbt could not generate its documentation; its last words are above")
    page = settings.var / "site" / "dbt" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target(settings, "live") / "static_index.html", page)
    write_start_page(settings)
    return page


def parse(settings: Settings) -> dict[str, Any]:
    """Return dbt's manifest of the project's files as they are now. Raises OtklikError when they do not parse."""
    # In a folder of its own: what a night of dbt is writing is not in its way, nor it in the night's.
    folder = target(settings, "parsed")
    environment = dbt_environment(settings, "live") | {"DBT_TARGET_PATH": str(folder)}
    if run_logged([str(PROGRAM), "parse", "--quiet"], environment):
        raise OtklikError("the dbt project does not parse; dbt's last words are above")
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def dbt_environment(settings: Settings, side: str = "next") -> dict[str, str]:
    """Return the variables dbt needs to work on this installation, those of Otklik included.

    `side` is a target of profiles.yml: `next` is built, `live` is what people see.
    """
    folder = PROJECT / "dbt_project"
    return settings.environment() | {
        "DBT_PROJECT_DIR": str(folder),
        "DBT_PROFILES_DIR": str(folder),
        "OTKLIK_DBT_TARGET": side,
        "DBT_TARGET_PATH": str(target(settings, side)),
        "DBT_LOG_PATH": str(settings.var / "log" / "dbt"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def in_groups(results: list[ModelResult]) -> list[tuple[str, list[ModelResult]]]:
    """Put the results in the groups in which they are shown, each with its name.

    Sound models of one schema stand together; one that failed, was skipped or has a warning stands alone.
    """
    groups: dict[str, list[ModelResult]] = {}
    for result in results:
        is_sound = result.status == "success" and not result.warned_tests
        groups.setdefault(result.name.partition(".")[0] if is_sound else result.name, []).append(result)
    return [(name if "." in name else f"{name}: {len(group)} sound", group) for name, group in sorted(groups.items())]


def raise_for_failure(result: ModelResult) -> None:
    """Raise ModelError with dbt's own words when the model or one of its tests failed."""
    if result.status == "error":
        where = f"\nCompiled SQL: {result.compiled_path}" if result.compiled_path else ""
        tests = "".join(f"\nFailed test: {test}" for test in result.failed_tests)
        raise ModelError(f"{result.name}: {result.message}{where}{tests}")


def target(settings: Settings, side: str = "next") -> Path:
    """Return the folder dbt writes its artifacts to."""
    # Of one folder for both dbt would read the whole project anew each time.
    return settings.var / "dbt" / side


def results_kept(results: list[dict[str, Any]], manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each model, seed and test as a row of quality.dbt_result."""
    for result in results:
        kind, _, name, *_ = result["unique_id"].split(".")
        if kind == "exposure":
            continue  # dbt lists what reads the models too; nothing is built for it
        node = manifest["nodes"].get(result["unique_id"], {})
        model = node.get("attached_node") if kind == "test" else None
        yield {
            "name": name,
            "kind": kind,
            "model": model and model.rpartition(".")[2],
            "status": result["status"],
            "failures": result.get("failures"),
            "row_count": result["adapter_response"].get("rows_affected"),
            "seconds": result["execution_time"],
        }


def model_results(results: list[dict[str, Any]], manifest: dict[str, Any]) -> list[ModelResult]:
    """Turn run_results.json into one result for each model, a failed test counting against its model."""
    nodes = manifest["nodes"]
    tests: dict[str, list[dict[str, Any]]] = {}
    own: list[dict[str, Any]] = []
    for result in results:
        if result["unique_id"].startswith("exposure."):
            continue  # dbt lists what reads the models too; nothing is built for it
        node = nodes.get(result["unique_id"], {})
        model = node.get("attached_node") if node.get("resource_type") == "test" else None
        if model:
            tests.setdefault(model, []).append(result)
        else:
            own.append(result)
    built = {result["unique_id"] for result in own}
    # A test may run without its model when the selector does not hold the model.
    own += [result for model, group in tests.items() if model not in built for result in group]
    return [_model_result(result, tests.get(result["unique_id"], []), nodes) for result in own]


def _model_result(result: dict[str, Any], tests: list[dict[str, Any]], nodes: dict[str, Any]) -> ModelResult:
    node = nodes.get(result["unique_id"], {})
    failed = tuple(_said(test) for test in tests if test["status"] in _FAILED)
    if result["status"] in _FAILED or failed:
        status = "error"
    else:
        status = "skipped" if result["status"] == "skipped" else "success"
    name = result["unique_id"].split(".")[2]
    return ModelResult(
        name=f"{node['schema']}.{name}" if node.get("relation_name") else name,
        status=status,
        seconds=round(result["execution_time"], 2),
        rows=result["adapter_response"].get("rows_affected"),
        message=result["message"] or result["status"],
        compiled_path=node.get("compiled_path"),
        failed_tests=failed,
        warned_tests=tuple(_said(test) for test in tests if test["status"] == "warn"),
    )


def _said(test: dict[str, Any]) -> str:
    return f"{test['unique_id'].split('.')[2]}: {test['message']}"


def _dbt(arguments: list[str], settings: Settings, side: str = "next") -> int:
    return run_logged([str(PROGRAM), *arguments], dbt_environment(settings, side) | {"DBT_USE_COLORS": "false"})

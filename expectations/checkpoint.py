"""Run suites as Great Expectations checkpoints: results cleaned of values, Data Docs updated."""

import logging
import os
import re
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

# Before the import below: it reads them once, and it logs hundreds of lines.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module="great_expectations")

import great_expectations as gx  # noqa: E402
from great_expectations.core.run_identifier import RunIdentifier  # noqa: E402
from great_expectations.data_context import EphemeralDataContext  # noqa: E402
from great_expectations.data_context.store import ValidationResultsStore  # noqa: E402
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults  # noqa: E402

from expectations.record import Outcome, Run  # noqa: E402
from expectations.side import Side  # noqa: E402
from expectations.suite import Check, Suite, SuiteError, Table, rows_checked, unexpected_rows  # noqa: E402

# Counts only. Everything else in a result may quote rows, and rows hold personal data.
_COUNTS = frozenset({"element_count", "unexpected_count", "unexpected_percent", "missing_count", "missing_percent"})


class CountsOnlyStore(ValidationResultsStore):
    """Keeps validation results without a single value of the data; Data Docs are built from what it keeps."""

    def store_validation_results(self, suite_validation_result: Any, **identifiers: Any) -> Any:
        for result in suite_validation_result.results:
            result.result = _without_values(result.result)
            result.exception_info = _without_messages(result.exception_info)
        return super().store_validation_results(suite_validation_result=suite_validation_result, **identifiers)


class NoUnexpectedRows(gx.expectations.UnexpectedRowsExpectation):
    """Counts the rows that a query finds without asking for them: each query runs once, and no value is fetched."""

    metric_dependencies = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"observed_value": count}}


def run_suite(suite: Suite, run: Run, side: Side, database: str, docs: Path) -> list[Outcome]:
    """Run every expectation of a suite on one side of the marts and write its Data Docs; return what each found.

    `database` is an SQLAlchemy address with a host. Pages of earlier runs in the folder `docs` stay. Raises SuiteError
    when an expectation's type or arguments are not Great Expectations' own.
    """
    # It prints, for each copy of a query, that the query lacks the name of its rows: they are in it already.
    with redirect_stdout(None):
        return _SuiteRun(side, database, docs).run(suite, run)


class _SuiteRun:
    """One suite as a checkpoint, in a context of its own."""

    def __init__(self, side: Side, database: str, docs: Path) -> None:
        self._side = side
        self._context = _context(docs)
        found_by = f"{database}?options=-csearch_path%3D{side.search_path.replace(',', '%2C')}"
        self._source = self._context.data_sources.add_postgres(name="warehouse", connection_string=found_by)

    def run(self, suite: Suite, run: Run) -> list[Outcome]:
        numbered = list(enumerate(suite))
        suites = [
            (table, [self._expectation(number, table, check) for number, (owner, check) in numbered if owner is table])
            for table in suite.tables
        ]
        definitions = [self._definition(table, expectations) for table, expectations in suites]
        checkpoint = self._context.checkpoints.add(
            gx.Checkpoint(
                name=suite.name,
                validation_definitions=definitions,
                result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
            )
        )
        result = checkpoint.run(run_id=RunIdentifier(run_name=str(run.run_id), run_time=run.started_at))
        # Only the pages of this run: Great Expectations' own index reads the results of every run there ever was, once
        # for each table. The report leads to the pages instead.
        self._context.build_data_docs(resource_identifiers=list(result.run_results), build_index=False)
        found = [one for validation in result.run_results.values() for one in validation.results]
        by_number = {one.expectation_config.meta["number"]: one for one in found}
        return [_outcome(table, check, by_number[number]) for number, (table, check) in numbered]

    def _expectation(self, number: int, table: Table, check: Check) -> Any:
        kind = NoUnexpectedRows if check.query else getattr(gx.expectations, check.expect, None)
        if kind is None:
            raise SuiteError(f"{table.file}: Great Expectations has no expectation called {check.expect}")
        arguments = dict(check.arguments)
        if check.query:
            query = unexpected_rows(table, check, self._side)
            # Great Expectations would take a bracket that is left for a name of its own.
            arguments["unexpected_rows_query"] = query.replace("{", "{{").replace("}", "}}")
        try:
            return kind(**arguments, severity=check.severity, description=check.protects, meta={"number": number})
        except ValueError as error:
            raise SuiteError(f"{table.file}: {check.label} {', '.join(check.columns)}: {error}") from None

    def _definition(self, table: Table, expectations: list[Any]) -> Any:
        asset = self._source.add_query_asset(name=table.table, query=rows_checked(table, self._side))
        rows = asset.add_batch_definition_whole_table("rows checked")
        suite = self._context.suites.add(gx.ExpectationSuite(name=table.table, expectations=expectations))
        return self._context.validation_definitions.add(
            gx.ValidationDefinition(name=table.table, data=rows, suite=suite)
        )


def _context(docs: Path) -> EphemeralDataContext:
    docs.mkdir(parents=True, exist_ok=True)
    config = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults(), progress_bars={"globally": False})
    # Under a name of its own: Great Expectations puts its own store where the default name is.
    config.validation_results_store_name = "counts_only_results"
    config.stores["counts_only_results"] = {
        "class_name": "CountsOnlyStore",
        "module_name": __name__,
        # What is found is kept in schema `quality`; the pages are built from this and stay.
        "store_backend": {"class_name": "InMemoryStoreBackend"},
    }
    config.data_docs_sites = {
        "quality": {
            "class_name": "SiteBuilder",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "show_how_to_buttons": False,
        }
    }
    return gx.get_context(mode="ephemeral", project_config=config)


def _without_values(result: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in result.items() if key in _COUNTS}
    if isinstance(result.get("observed_value"), int | float):
        kept["observed_value"] = result["observed_value"]
    return kept


def _without_messages(info: dict[str, Any]) -> dict[str, Any]:
    # A database's message quotes the value it stumbled over, so only the kind of the error is kept.
    if info.get("raised_exception") is False:
        return info
    kind = re.search(r"psycopg\.errors\.(\w+)", str(info))
    message = f"The check itself broke: {kind[1] if kind else 'not a database error'}"
    # A page cannot be written without a text in the place of the traceback.
    return {"raised_exception": True, "exception_message": message, "exception_traceback": ""}


def _outcome(table: Table, check: Check, found: Any) -> Outcome:
    broken = found.exception_info.get("raised_exception") is not False
    return Outcome(
        expectation=f"{table.table}: {check.label}",
        column=", ".join(check.columns) or None,
        severity=check.severity,
        success=bool(found.success) and not broken,
        observed=found.exception_info["exception_message"] if broken else _observed(found.result),
        protects=check.protects,
    )


def _observed(result: dict[str, Any]) -> str | None:
    if "element_count" in result:
        return f"{result.get('unexpected_count') or 0} из {result['element_count']} строк"
    return str(result["observed_value"]) if "observed_value" in result else None

"""What dbt's run_results.json says of each model."""

from typing import Any

import pytest

from otklik.dbt import ModelError, ModelResult, in_groups, model_results, raise_for_failure

MANIFEST = {
    "nodes": {
        "model.otklik.fct_message": {
            "resource_type": "model",
            "schema": "marts",
            "relation_name": '"otklik"."marts"."fct_message"',
            "compiled_path": "target/compiled/fct_message.sql",
        },
        "test.otklik.a_message_is_counted_once.1f": {
            "resource_type": "test",
            "schema": "audit",
            "relation_name": None,
            "attached_node": "model.otklik.fct_message",
        },
        "test.otklik.a_batch_is_noted_once.2e": {
            "resource_type": "test",
            "schema": "audit",
            "relation_name": None,
            "attached_node": None,
        },
    }
}


def said(unique_id: str, status: str, message: str | None = None, rows: int | None = None) -> dict[str, Any]:
    response = {} if rows is None else {"rows_affected": rows}
    return {
        "unique_id": unique_id,
        "status": status,
        "message": message,
        "execution_time": 1.2345,
        "adapter_response": response,
    }


def told(name: str, status: str = "success", *warned: str) -> ModelResult:
    return ModelResult(name, status, 0.1, None, "", None, (), warned)


def test_sound_models_are_shown_together_and_each_other_alone() -> None:
    results = [
        told("staging.stg_raw__batch"),
        told("marts.fct_message"),
        told("marts.fct_incident", "error"),
        told("marts.mart_year_summary", "skipped"),
        told("marts.dim_date"),
        told("marts.dim_topic", "success", "a_topic_is_there_once: Got 1 result"),
    ]
    groups = {name: [result.name for result in group] for name, group in in_groups(results)}
    assert groups == {
        "marts: 2 sound": ["marts.fct_message", "marts.dim_date"],
        "marts.dim_topic": ["marts.dim_topic"],
        "marts.fct_incident": ["marts.fct_incident"],
        "marts.mart_year_summary": ["marts.mart_year_summary"],
        "staging: 1 sound": ["staging.stg_raw__batch"],
    }


def test_a_built_model_says_how_many_rows_and_how_long() -> None:
    [result] = model_results([said("model.otklik.fct_message", "success", "SELECT 7", rows=7)], MANIFEST)
    assert (result.name, result.status, result.rows, result.seconds) == ("marts.fct_message", "success", 7, 1.23)
    raise_for_failure(result)


def test_a_failed_model_says_why_and_where_its_sql_is() -> None:
    [result] = model_results([said("model.otklik.fct_message", "error", "division by zero")], MANIFEST)
    with pytest.raises(ModelError) as error:
        raise_for_failure(result)
    assert str(error.value) == ("marts.fct_message: division by zero\nCompiled SQL: target/compiled/fct_message.sql")


def test_a_failed_test_counts_against_its_model() -> None:
    results = [
        said("model.otklik.fct_message", "success", "SELECT 7"),
        said("test.otklik.a_message_is_counted_once.1f", "fail", "Got 2 results, configured to fail if != 0"),
    ]
    [result] = model_results(results, MANIFEST)
    assert result.status == "error"
    assert result.failed_tests == ("a_message_is_counted_once: Got 2 results, configured to fail if != 0",)


def test_a_test_that_only_warns_leaves_its_model_green() -> None:
    results = [
        said("model.otklik.fct_message", "success", "SELECT 7"),
        said("test.otklik.a_message_is_counted_once.1f", "warn", "Got 1 result"),
    ]
    [result] = model_results(results, MANIFEST)
    assert (result.status, result.warned_tests) == ("success", ("a_message_is_counted_once: Got 1 result",))


def test_what_dbt_skipped_is_neither_built_nor_failed() -> None:
    [result] = model_results([said("model.otklik.fct_message", "skipped")], MANIFEST)
    assert result.status == "skipped"
    raise_for_failure(result)


def test_a_dashboard_is_not_a_model() -> None:
    results = [said("model.otklik.fct_message", "success", "SELECT 7"), said("exposure.otklik.a_dashboard", "no-op")]
    assert [result.name for result in model_results(results, MANIFEST)] == ["marts.fct_message"]


def test_a_test_without_a_model_in_the_run_is_shown_by_itself() -> None:
    results = [
        said("test.otklik.a_batch_is_noted_once.2e", "fail", "Got 1 result"),
        said("test.otklik.a_message_is_counted_once.1f", "pass"),
    ]
    found = {result.name: result.status for result in model_results(results, MANIFEST)}
    assert found == {"a_batch_is_noted_once": "error", "a_message_is_counted_once": "success"}

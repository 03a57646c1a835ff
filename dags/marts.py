"""Whenever rows came: check them, build the models, check the marts, publish their documentation."""

from airflow.sdk import TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import RAW_INCIDENT, RAW_PAGE_SNAPSHOT, RAW_SURVEY_RESPONSE
from timetable import FIRST_OF_ALL


@task
def check_raw() -> None:
    """Run the suite `raw`."""
    from otklik.checks import run_suite
    from otklik.settings import get_settings

    run_suite("raw", get_settings())


@task
def build() -> list[dict]:
    """Run dbt once over everything the new batches touch; what became of each model is shown by `model`."""
    from otklik import dbt
    from otklik.settings import get_settings

    groups = dbt.in_groups(dbt.build("night", get_settings()))
    return [{"name": name, "results": [result.as_dict() for result in results]} for name, results in groups]


@task(map_index_template="{{ task.op_kwargs['group']['name'] }}")
def model(group: dict) -> None:
    """Show what dbt did: the sound models of a schema together, and alone each that failed, was skipped or warns."""
    from otklik.dbt import ModelResult, raise_for_failure

    for result in group["results"]:
        found = ModelResult(**result)
        print(f"{found.name}: {found.message}, {found.seconds} s")
        for test in found.warned_tests:
            print(f"WARNING: {test}")
        raise_for_failure(found)
        if found.status == "skipped":
            raise AirflowSkipException(f"{found.name}: dbt skipped it, because a model it needs failed")


# Not "all succeeded": a skipped model would let the checks be skipped too before the failed one is seen.
@task(trigger_rule=TriggerRule.NONE_FAILED)
def check_marts() -> None:
    """Run the suite `marts`."""
    from otklik.checks import run_suite
    from otklik.settings import get_settings

    run_suite("marts", get_settings())


@task
def source_freshness() -> None:
    """Warn when the newest data of a source is too old."""
    from otklik.dbt import check_freshness
    from otklik.settings import get_settings

    if not check_freshness(get_settings()):
        print("WARNING: a source is older than it should be; it is named above")


@task
def publish_docs() -> None:
    """Publish the documentation of the models on the static site."""
    from otklik import dbt
    from otklik.settings import get_settings

    print(dbt.publish_docs(get_settings()))


@dag(
    # After whatever loaded rows; what comes while this runs is taken together by the next run.
    schedule=RAW_INCIDENT | RAW_PAGE_SNAPSHOT | RAW_SURVEY_RESPONSE,
    catchup=False,
    max_active_runs=1,
    default_args=FIRST_OF_ALL,
    tags=["marts"],
)
def marts():
    """
    **What.** Checks `raw`, runs dbt once over everything the new batches touch, shows what became of each model (the
    sound ones of a schema in one task, each other in its own), checks `marts` and publishes the documentation of the
    models. Safe to run at any time; with nothing new it changes nothing.

    **When it fails**

    - `check_raw`: a critical expectation on `raw` failed; its log and the quality reports name it. Marts keep
      showing what they showed. Mend the cause, then clear `check_raw` (with downstream).
    - `model`, by name: dbt could not build that model, or one of its tests failed. Its log has dbt's message and the
      path of the SQL as run. Models that depend on it are skipped. Mend it, then clear `build` (with downstream).
    - `build`: dbt could not begin: the project does not parse, or the warehouse does not answer.
    - `check_marts`: a critical expectation failed; its log and the quality reports name it.
    - `source_freshness` only warns: data of a source is older than its limit in the dbt project.

    **Run it again:** clear `build`, or trigger the DAG. To rebuild everything from `raw`:
    `dbt build --full-refresh --selector night` in `dbt_project/`.
    """
    groups = build()
    check_raw() >> groups
    model.expand(group=groups) >> check_marts()
    # One after the other: each is a process of dbt, and nobody waits for them.
    groups >> publish_docs() >> source_freshness()


marts()

"""Whenever rows came: build the marts beside those that people see, check them, and let people see them."""

from airflow.sdk import Param, TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import RAW_INCIDENT, RAW_PAGE_SNAPSHOT, RAW_SURVEY_RESPONSE
from timetable import FIRST_OF_ALL


@task
def build(params: dict | None = None) -> list[dict]:
    """Run dbt once over everything the new batches touch; what became of each model is shown by `model`."""
    from otklik import dbt
    from otklik.settings import get_settings

    groups = dbt.in_groups(dbt.build(get_settings(), full_refresh=params["full_refresh"]))
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
def check() -> None:
    """Run every suite of expectations on what was built, and on the rows it was built from."""
    from otklik.checks import check_build
    from otklik.settings import get_settings

    check_build(get_settings())


# Whatever failed before: that people still see the night before, and why, is noted here.
@task(trigger_rule=TriggerRule.ALL_DONE)
def publish() -> None:
    """Let people see what was built when it is whole and checked; otherwise note why they see the night before."""
    from otklik.settings import get_settings
    from otklik.warehouse import publish

    print(publish.publish(get_settings()))


@task
def warm() -> None:
    """Ask Superset again what readers asked lately, so that in the morning nobody waits; warn when it cannot."""
    from otklik.dashboards.warming import WarmingError, warm
    from otklik.settings import get_settings

    try:
        print(warm(get_settings()))
    except WarmingError as error:
        print(f"WARNING: {error}")


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
    params={
        "full_refresh": Param(
            False, type="boolean", title="Full refresh", description="Build all of history anew, not only what came"
        )
    },
    tags=["marts"],
)
def marts():
    """
    **What.** Runs dbt once over everything the new batches touch, beside the marts that people see; shows what became
    of each model (the sound ones of a schema in one task, each other in its own); checks the rows that came and what
    was built from them; lets people see it, all at once; and has Superset make the answers that readers will ask for.
    Safe to run at any time; with nothing new it changes nothing.

    **When it fails** people go on seeing the night before, and the dashboards say so.

    - `model`, by name: dbt could not build that model, or one of its tests failed. Its log has dbt's message and the
      path of the SQL as run. Models that depend on it are skipped. Mend it, then clear `build` (with downstream).
    - `build`: dbt could not begin: the project does not parse, or the warehouse does not answer.
    - `check`: a critical expectation failed; its log and the quality reports name it. Mend the cause, then clear
      `build` (with downstream).
    - `publish`: something before it failed, its log says what; there is nothing to do but there.
    - `warm` only warns: Superset could not be asked; readers who come first wait for the database.
    - `source_freshness` only warns: data of a source is older than its limit in the dbt project.

    **Run it again:** clear `build`, or trigger the DAG. To build everything from `raw` anew, trigger it with Full
    refresh; the next night builds the other side of the marts anew, too.
    """
    groups = build()
    published = publish()
    model.expand(group=groups) >> check() >> published
    # One after the other: readers wait for the first, and for processes of dbt nobody does.
    published >> warm() >> publish_docs() >> source_freshness()


marts()

"""Every evening: how many people read each public page, and how the page looks, on four networks."""

from airflow.sdk import TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import RAW_PAGE_SNAPSHOT
from timetable import PATIENCE, daily, night_of, outside

NETWORKS = ("vk", "ok", "telegram", "max")


@task
def parts(network: str, data_interval_start=None, data_interval_end=None) -> list[dict]:
    """List the network's pages of the register in parts; ask the network whether it knows us and what time it is."""
    from otklik.pulls import page_parts

    settings, night = night_of(data_interval_start, data_interval_end)
    return [part.as_dict() for part in page_parts(network, outside(network), night, settings)]


@task(map_index_template="{{ task.op_kwargs['part']['name'] }}")
def pull(network: str, part: dict, data_interval_start=None, data_interval_end=None) -> int:
    """Read one part of the pages; what could not be read is recorded with its reason. Return how many rows came."""
    from otklik.pulls import Part, pull_pages, summary

    settings, night = night_of(data_interval_start, data_interval_end)
    told = pull_pages(network, Part.of_dict(part), outside(network), night, settings)
    print(summary(told))
    return sum(report.rows_loaded for each in told for report in each.reports)


# Once, when all networks are done: a build of the marts for each part would tell readers nothing sooner.
@task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS, outlets=[RAW_PAGE_SNAPSHOT])
def rows_came(counts: list[list[int] | None]) -> None:
    """Tell the `marts` DAG that rows came, if any network told something new."""
    if not any(any(of_parts) for of_parts in counts if of_parts):
        raise AirflowSkipException("Nothing new is known of any page: marts have nothing to do")


@dag(
    # At 23:00 of the region, so that a number read is of the day it is shown under.
    **daily(23),
    default_args=PATIENCE,
    tags=["raw", "nightly"],
)
def pages():
    """
    **What.** Asks VK, OK, Telegram and MAX about every page of the register: members, description, avatar, cover,
    marks, posts and reach of the last week as far as each network tells. A page that cannot be read is recorded with
    its reason; its members are unknown, never 0.

    **When it fails**

    - `<network>_parts`: the network refuses the token, or there is no connection of that name while the register has
      pages there. Mend the connection, then clear the task (with downstream). Other networks are not affected.
    - `<network>_pages`: the network does not answer, or stopped us for the night (its log says which). Clear the task:
      only pages not read yet are asked again, as long as the evening lasts.

    **A past night** asks only what can tell of the past (OK's statistics); elsewhere that day stays «not observed».

    `otklik airflow backfill create --dag-id pages --from-date 2022-12-01 --to-date 2022-12-07
    --reprocess-behavior completed --max-active-runs 1`
    """
    counts = []
    for network in NETWORKS:
        found = parts.override(task_id=f"{network}_parts")(network)
        # One slot: the rate a network allows is that of our token, however many tasks there are.
        pulled = pull.override(task_id=f"{network}_pages", pool=network).partial(network=network).expand(part=found)
        counts.append(pulled)
    rows_came(counts)


pages()

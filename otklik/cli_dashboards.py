"""`otklik dashboards`: bring the files of what people see to Superset, or check them."""

import typer
from rich.console import Console
from rich.markup import escape

from otklik.errors import OtklikError
from otklik.settings import Settings, SettingsError, get_settings, settings_of_no_installation

dashboards = typer.Typer(
    no_args_is_help=True,
    help="""What people see, as files under superset/assets: bring them to Superset, or check them.

    Nothing is set by hand in Superset: the file of a chart removed, the chart is gone after the next apply.
    """,
)
screen = Console()
errors = Console(stderr=True)


@dashboards.command()
def apply() -> None:
    """Bring Superset to what the files say; a second time it changes nothing.

    `otklik up` does it by itself when a file changed.

    Example: otklik dashboards apply
    """
    from otklik.dashboards.apply import apply as apply_files

    try:
        for line in apply_files(get_settings()):
            screen.print(line.removeprefix("superset: "), highlight=False, soft_wrap=True)
    except (SettingsError, OtklikError) as error:
        _fail(error)


@dashboards.command()
def validate() -> None:
    """Check that every chart's columns and metrics exist in the marts, filters act, and readers see what they may.

    Needs no running installation. Exit code 1: something is wrong, a line each on stderr.

    Example: otklik dashboards validate
    """
    from otklik.dashboards.apply import check

    try:
        found = check(_settings())
    except OtklikError as error:
        _fail(error)
    for what in found:
        errors.print(escape(what), highlight=False, soft_wrap=True)
    if found:
        raise typer.Exit(1)
    screen.print("Dashboards hold together.")


@dashboards.command()
def warm() -> None:
    """Ask Superset again what readers asked within 30 days, so that nobody waits for the numbers of a new night.

    The DAG `marts` does it after every publication.

    Example: otklik dashboards warm
    """
    from otklik.dashboards.warming import warm as warm_dashboards

    try:
        done = warm_dashboards(get_settings())
    except (SettingsError, OtklikError) as error:
        _fail(error)
    screen.print(f"{done.asked} questions asked again, {done.failed} could not be answered: {done.seconds:.0f} s")


def _settings() -> Settings:
    try:
        return get_settings()
    except SettingsError:
        return settings_of_no_installation()


def _fail(error: Exception) -> None:
    errors.print("[bold red]Error:[/]", escape(str(error)), highlight=False, soft_wrap=True)
    raise typer.Exit(1)

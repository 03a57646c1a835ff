"""The command `otklik trace`: from a figure back to the rows of files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from otklik.errors import OtklikError
from otklik.settings import SettingsError, get_settings

if TYPE_CHECKING:
    import psycopg

DIFFERS = 4


def trace(  # noqa: PLR0913, PLR0917 - each is an option
    metric: Annotated[str, typer.Argument(help="The metric's name, as mart_year_summary and `otklik mf` call it.")],
    year: Annotated[int, typer.Option(help="The local year.")],
    month: Annotated[int | None, typer.Option(min=1, max=12, help="A month of it.")] = None,
    authority: Annotated[
        str | None, typer.Option(help="Of one authority, by its name on the screen; empty: of those unknown.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Code of the region. Default: the only one there is.")] = None,
    rows: Annotated[Path | None, typer.Option(help="Write every row behind it to this CSV file.")] = None,
) -> None:
    """Walk one figure back: what people see, the facts, the rows of files; and what it was on earlier nights.

    Exit code 4: what people see is not what the facts give. Nothing personal is shown or written.

    Examples:

    otklik trace mean_time_to_respond --year 2022

    otklik trace mean_time_to_respond --year 2022 --month 3 --rows march.csv
    """
    import psycopg

    from otklik.audit.definitions import definition
    from otklik.audit.figure import Figure, Period
    from otklik.audit.trace import differs, tell, write_rows

    try:
        settings = get_settings()
        with psycopg.connect(settings.dsn("engineer"), connect_timeout=10) as connection:
            period = Period(region or _only_region(connection), year, month, authority)
            figure = Figure(connection, definition(metric), period)
            for line in tell(figure, settings.zone):
                typer.echo(line)
            if rows:
                typer.echo(f"\n{rows}: строк {write_rows(figure, rows)}")
            if differs(figure):
                raise typer.Exit(DIFFERS)
    except (OtklikError, SettingsError, psycopg.Error, OSError) as error:
        _fail(error)


def _only_region(connection: "psycopg.Connection[Any]") -> str:
    from otklik.audit.figure import FigureError

    found = [code for (code,) in connection.execute("select region_code from marts.mart_as_of order by 1")]
    if len(found) != 1:
        raise FigureError(
            f"Name the region with --region; there are: {', '.join(found) or 'none, nothing is published'}"
        )
    return str(found[0])


def _fail(error: Exception) -> NoReturn:
    typer.echo(f"Error: {str(error).strip()}", err=True)
    raise typer.Exit(1)

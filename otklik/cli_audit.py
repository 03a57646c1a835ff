"""The commands `otklik trace` and `otklik audit`: from a figure back to the rows of files, and a proof of it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from otklik.errors import OtklikError, UnreachableError
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


class _DayOrCommand(TyperGroup):
    """`otklik audit 2022-12-15` makes an archive; what is no command is taken for the day."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["make", *args]
        return super().parse_args(ctx, args)


audit = typer.Typer(
    cls=_DayOrCommand,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Make an archive that proves a year's figures, or verify one.

    otklik audit 2022-12-31 --output 2022.zip

    otklik audit verify 2022.zip
    """,
)


@audit.command()
def make(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The last local day that counts.")],
    output: Annotated[Path, typer.Option(help="The archive to write (.zip).")],
    region: Annotated[str | None, typer.Option(help="Code of the region. Default: the only one there is.")] = None,
) -> None:
    """Write one archive for the year of a day, from 1 January through the day.

    It holds the hashes of what came, the ledger, checks, counts from file to mart, versions, and for each figure of the
    year its definition, SQL, result and rows; signed with OTKLIK_AUDIT_KEY. Nothing in it is personal.
    """
    import psycopg

    from otklik.audit.archive import write_archive
    from otklik.audit.signing import public_key

    try:
        settings = get_settings()
        with psycopg.connect(settings.dsn("engineer"), connect_timeout=10) as connection:
            code = region or _only_region(connection)
        count = write_archive(settings, code, day.date(), output, lambda part: typer.echo(f"  {part}", err=True))
        typer.echo(f"{output}: {count} figures, signed with the key {public_key(settings.audit_key)}")
    except (OtklikError, UnreachableError, SettingsError, psycopg.Error, OSError) as error:
        _fail(error)


@audit.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The archive.")],
    key: Annotated[
        str | None, typer.Option("--public-key", help="Who must have signed it. Default: this installation.")
    ] = None,
    warehouse: Annotated[bool, typer.Option(help="Ask this installation's warehouse for the figures again.")] = False,
) -> None:
    """Prove that nothing in an archive was altered, and with --warehouse that its figures still follow from the rows.

    Exit code 1: it is truncated, altered, foreign or unsigned; 4: the warehouse gives other figures now.
    """
    import psycopg

    from otklik.audit.signing import public_key
    from otklik.audit.verify import compare_with_warehouse
    from otklik.audit.verify import verify as verify_archive

    try:
        settings = get_settings() if warehouse or key is None else None
        manifest = verify_archive(file, key or public_key(settings.audit_key))  # type: ignore[union-attr]
        typer.echo(f"{file}: nothing altered since {manifest['made_at']}, {len(manifest['files'])} files")
        if settings and warehouse:
            with psycopg.connect(settings.dsn("engineer"), connect_timeout=10) as connection:
                differences = list(compare_with_warehouse(file, connection))
            for one in differences:
                typer.echo(
                    f"  {one.metric}: {one.archived} of {one.archived_rows} rows in the archive,"
                    f" {one.found} of {one.found_rows} in the warehouse now"
                )
            if differences:
                raise typer.Exit(DIFFERS)
            typer.echo(f"  all {len(manifest['figures'])} figures follow from the rows of the warehouse")
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

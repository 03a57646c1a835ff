"""The command `otklik load`: files by hand, as a night would load them."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from otklik.errors import OtklikError, UnreachableError
from otklik.settings import SettingsError, get_settings

if TYPE_CHECKING:
    from upath import UPath

    from otklik.warehouse.ledger import BatchReport

screen = Console()
errors = Console(stderr=True)


def load(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Files, or folders of them, here or at an address (s3://…, sftp://…): CSV, XLSX, JSON Lines, "
            "exports, also .gz, .zip."
        ),
    ],
    mapping: Annotated[Path, typer.Option(help="The mapping file (YAML) that says which column is which field.")],
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day the files tell of. Default: --to."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option(
            "--to", formats=["%Y-%m-%d"], help="Last day the files know of: a later event is refused. Default: today."
        ),
    ] = None,
) -> None:
    """Load files into the warehouse, each in one transaction.

    Every row is loaded, rejected with its reasons (table raw.rejected_row), or unchanged since an earlier
    load. A file loaded before by the same mapping changes nothing. Exit code 1: a file could not be read;
    the others are loaded all the same.

    Examples:

    otklik load march.xlsx --mapping mappings/centre.yml

    otklik load history/ --mapping mappings/centre.yml --from 2020-11-01 --to 2022-12-30

    otklik load s3://centre/inbox/march.csv.gz --mapping mappings/centre.yml
    """
    try:
        sick = _load_all(_files(paths), mapping, first, last)
    except (OtklikError, UnreachableError, SettingsError) as error:
        errors.print(f"[bold red]Error:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    if sick:
        raise typer.Exit(1)


def _files(addresses: list[str]) -> "list[UPath]":
    """Return the files named, and those in the folders named, hidden ones aside."""
    from otklik.places import Place

    files = []
    for address in addresses:
        place = Place("otklik load", address, may_be_absent=False)
        with place.named():
            path = place.path
            inside = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        files += [file for file in inside if not file.name.startswith(".")]
    if not files:
        raise OtklikError(f"no files in {', '.join(addresses)}")
    return files


def _load_all(files: "list[UPath]", mapping_path: Path, first: datetime | None, last: datetime | None) -> bool:
    # Imported here: polars and its like take half a second that `otklik --help` need not wait for.
    from otklik.errors import FileError
    from otklik.interval import Interval
    from otklik.load import load_file
    from otklik.mapping import load_mapping

    settings, mapping = get_settings(), load_mapping(mapping_path)
    end: date = last.date() if last else datetime.now(settings.zone).date()
    interval = Interval.of_days(first.date() if first else end, end, settings.zone)
    reports, sick = [], False
    with _progress() as progress:
        task = progress.add_task("", total=len(files), rows=0)
        for file in files:
            progress.update(task, description=file.name)
            try:
                reports += load_file(file, mapping, interval, settings, lambda rows: progress.update(task, rows=rows))
            except FileError as error:
                sick = True
                progress.console.print(f"[bold red]Error:[/] {error}", highlight=False, soft_wrap=True)
            progress.advance(task)
    screen.print(_table(reports))
    return sick


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
    )


def _table(reports: "list[BatchReport]") -> Table:
    table = Table(box=None)
    table.add_column("File", overflow="fold")
    columns = ("rows_read", "rows_loaded", "rows_rejected", "rows_unchanged")
    for column in columns:
        table.add_column(column.removeprefix("rows_").capitalize(), justify="right")
    for report in reports:
        table.add_row(report.file_name, *(f"{getattr(report, column):,}" for column in columns))
    if len(reports) > 1:
        sums = (sum(getattr(report, column) for report in reports) for column in columns)
        table.add_row("All", *(f"{number:,}" for number in sums), style="bold")
    return table

"""The command `otklik report`: «Итоги» of a year, month or week, as a page and a Word document."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from otklik.errors import OtklikError
from otklik.settings import SettingsError, get_settings

if TYPE_CHECKING:
    from otklik.report.document import Report
    from otklik.report.period import Period

CHECKS_FAILED = 5

Region = Annotated[str | None, typer.Option(help="Code of the region. Default: the only one there is.")]
Output = Annotated[Path | None, typer.Option(help="The folder to write to. Default: var/reports.")]
Draft = Annotated[
    bool, typer.Option("--draft", help="Write it when checks failed, too, and mark what they are behind.")
]

report = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Write «Итоги» of a year, month or week: a page (.html) and a Word document (.docx), in Russian.

    Each number has a footnote: metric, definition, query, as of when, and what the checks said.

    Exit code 5: the checks behind a number failed or were not run; nothing is written without --draft.

    otklik report year 2022

    otklik report month 2022-12

    otklik report week 2022-W52
    """,
)


@report.command()
def year(
    year: Annotated[str, typer.Argument(help="As 2022.")],
    region: Region = None,
    output: Output = None,
    draft: Draft = False,
) -> None:
    """Compare a year with the one before and the first."""
    from otklik.report import period

    _write(period.year, year, region, output, draft=draft)


@report.command()
def month(
    month: Annotated[str, typer.Argument(help="As 2022-12.")],
    region: Region = None,
    output: Output = None,
    draft: Draft = False,
) -> None:
    """Compare a month with the one before and that of the year before."""
    from otklik.report import period

    _write(period.month, month, region, output, draft=draft)


@report.command()
def week(
    week: Annotated[str, typer.Argument(help="As 2022-W52: weeks of ISO 8601, from Monday.")],
    region: Region = None,
    output: Output = None,
    draft: Draft = False,
) -> None:
    """Compare a week with the one before and that of the year before."""
    from otklik.report import period

    _write(period.week, week, region, output, draft=draft)


def _write(read: Callable[[str], "Period"], text: str, region: str | None, output: Path | None, *, draft: bool) -> None:
    import psycopg

    from otklik.report.document import compile_report
    from otklik.report.writing import write_docx, write_html

    try:
        period, settings = read(text), get_settings()
        # Who may see what the checks said, and of the data what everybody sees.
        with psycopg.connect(settings.dsn("auditor"), connect_timeout=10, autocommit=True) as connection:
            told = compile_report(connection, region, period, settings.zone)
        if not told.holds and not draft:
            _refuse(told)
        folder = output or settings.var / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        for ending, write in (("html", write_html), ("docx", write_docx)):
            file = folder / f"{_name(told)}.{ending}"
            write(told, file)
            typer.echo(str(file))
    except (OtklikError, SettingsError, psycopg.Error, OSError) as error:
        typer.echo(f"Error: {str(error).strip()}", err=True)
        raise typer.Exit(1) from None


def _name(told: "Report") -> str:
    """A draft never looks like a report, nor one region's like another's."""
    region = "" if told.is_only_region else f"-{told.region.region_code}"
    return f"itogi-{told.period.code}{region}" + ("" if told.holds else "-draft")


def _refuse(told: "Report") -> NoReturn:
    if told.were_checked:
        typer.echo("Отчёт не написан: не пройдены проверки, на которых держатся его числа.", err=True)
    else:
        typer.echo("Отчёт не написан: проверки показанных данных не проводились.", err=True)
    for check in told.failed():
        typer.echo(f"  {check}", err=True)
    typer.echo("С --draft получится черновик, где такие числа отмечены.", err=True)
    raise typer.Exit(CHECKS_FAILED)

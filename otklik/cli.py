"""The command `otklik`: start, stop, look, ask."""

import os
import sys
from enum import StrEnum
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from otklik import __version__
from otklik.cli_audit import audit, trace
from otklik.cli_dashboards import dashboards
from otklik.cli_load import load
from otklik.cli_privacy import erase, rotate_author_key
from otklik.cli_report import report
from otklik.settings import Settings, SettingsError, ensure_env_file, get_settings

EXIT_NOT_RUNNING = 3
# For a command that hands everything on to another program, --help included.
AS_GIVEN = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""[bold]Otklik[/]: the data pipeline of a regional governance centre.

    It takes incidents in every night, computes how fast people are answered, checks the numbers
    and shows them. Settings come from OTKLIK_… variables and from the file .env, which the first
    start makes.

    [bold]A first look[/]

    otklik up                                                   start everything, see addresses and logins

    otklik status                                               what runs

    otklik sql "select * from mart_as_of" --role reader         ask the warehouse

    otklik doctor                                               find out what is wrong

    otklik down                                                 stop everything
    """,
)
screen = Console()
errors = Console(stderr=True)


class Role(StrEnum):
    """The roles people ask the warehouse as."""

    READER = "reader"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ENGINEER = "engineer"


def fail(message: object, code: int = 1) -> NoReturn:
    """Say what is wrong on stderr and leave."""
    errors.print("[bold red]Error:[/]", escape(str(message)), highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def settings_or_fail() -> Settings:
    """Return the settings, or leave with what is wrong with them."""
    try:
        return get_settings()
    except SettingsError as error:
        fail(error)


@app.command()
def up(
    superset: Annotated[bool, typer.Option(help="Start Superset too; without it there are no dashboards.")] = True,
) -> None:
    """Start everything, wait until it answers, and print addresses and logins.

    The first start makes the database and the secrets. What is already done is not done again,
    so `otklik up` is also the way to apply a changed setting.

    Example: otklik up --no-superset
    """
    from otklik.runtime.steps import Steps
    from otklik.runtime.up import EXPECTED_ERRORS, start

    ensure_env_file()
    settings = settings_or_fail()
    try:
        with Steps(errors) as steps:
            start(settings, steps, superset=superset)
    except EXPECTED_ERRORS as error:
        fail(error)
    screen.print(addresses(settings, superset))


@app.command()
def down() -> None:
    """Stop everything that `otklik up` started. Data stay where they are."""
    from otklik.runtime.steps import Steps
    from otklik.runtime.supervisor import Supervisor, SupervisorError

    supervisor = Supervisor(settings_or_fail())
    try:
        with Steps(errors) as steps, steps.step("Stop all services") as step:
            step.note("" if supervisor.shutdown() else "nothing was running")
    except SupervisorError as error:
        fail(error)


@app.command()
def status() -> None:
    """Show each service's state. Exit code 0: all run; 3: some do not."""
    from otklik.runtime.supervisor import Supervisor, programs

    settings = settings_or_fail()
    states = Supervisor(settings).states()
    table = Table("Service", "State", box=None)
    # Ours first, then services that somebody has added.
    states = {program.name: states.get(program.name, "STOPPED") for program in programs(settings)} | states
    for name, state in states.items():
        table.add_row(name, f"[green]{state}[/]" if state == "RUNNING" else f"[red]{state}[/]")
    screen.print(table)
    if set(states.values()) != {"RUNNING"}:
        raise typer.Exit(EXIT_NOT_RUNNING)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One query, in SQL.")],
    role: Annotated[Role, typer.Option(help="The database role to ask as: it sees what that reader sees.")],
) -> None:
    """Ask the warehouse and print the answer as CSV with a header.

    On an error the exit code is 1 and the database's message is on stderr.

    Example: otklik sql "select region_name, as_of_local from mart_as_of" --role reader > as_of.csv
    """
    import psycopg

    from otklik.warehouse.query import csv_rows

    settings = settings_or_fail()
    try:
        for piece in csv_rows(settings.dsn(role), query):
            sys.stdout.buffer.write(piece)
    except psycopg.Error as error:
        typer.echo(str(error).strip(), err=True)
        raise typer.Exit(1) from None


app.command()(load)
app.command()(trace)
app.command()(erase)
app.command()(rotate_author_key)
app.add_typer(audit, name="audit")
app.add_typer(dashboards, name="dashboards")
app.add_typer(report, name="report")


@app.command()
def doctor() -> None:
    """Look for what is wrong: a line for each check, with what to do. Exit code 1: something is wrong."""
    from otklik.runtime.doctor import examine

    sick = False
    for finding in examine():
        sick = sick or not finding.well
        mark = "[green]✓[/]" if finding.well else "[red]✗[/]"
        advice = f"\n    [bold]→[/] {finding.advice}" if finding.advice else ""
        screen.print(f"{mark} {finding.what}{advice}", highlight=False, soft_wrap=True)
    if sick:
        raise typer.Exit(1)


@app.command(context_settings=AS_GIVEN)
def dbt(context: typer.Context) -> None:
    """Run dbt's own command against this installation, as the role that builds the marts, beside those people see.

    Examples: otklik dbt ls --select marts; otklik dbt build --select mart_year_summary
    """
    from otklik.dbt import PROGRAM, dbt_environment

    environment = os.environ | dbt_environment(settings_or_fail())
    os.execve(PROGRAM, [str(PROGRAM), *context.args], environment)


@app.command(context_settings=AS_GIVEN)
def mf(context: typer.Context) -> None:
    """Ask for metrics by name: MetricFlow's own command, as the analyst's role, which can only read.

    Examples: otklik mf list metrics; otklik mf query --metrics mean_time_to_respond --group-by metric_time__month
    """
    from otklik.errors import OtklikError
    from otklik.metricflow import PROGRAM, metricflow_environment

    try:
        environment = os.environ | metricflow_environment(settings_or_fail())
    except OtklikError as error:
        fail(error)
    os.execve(PROGRAM, [str(PROGRAM), *context.args], environment)


@app.command(context_settings=AS_GIVEN)
def airflow(context: typer.Context) -> None:
    """Run Airflow's own command against this installation.

    Examples: otklik airflow dags list; otklik airflow dags trigger incidents
    """
    from otklik.runtime.airflow import PROGRAM, airflow_environment

    environment = os.environ | airflow_environment(settings_or_fail())
    os.execve(PROGRAM, [str(PROGRAM), *context.args], environment)


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """Show the version when asked; the commands do the rest."""
    if version:
        screen.print(f"otklik {__version__}", highlight=False)
        raise typer.Exit


def addresses(settings: Settings, superset: bool) -> Table:
    """Return the table of who goes where with which login."""
    table = Table(box=None, title="Otklik is running", title_justify="left", pad_edge=False)
    for column in ("Reader", "Address", "Login", "Password"):
        table.add_column(column, overflow="fold")
    screens, jobs = f"http://127.0.0.1:{settings.superset_port}/", f"http://127.0.0.1:{settings.airflow_port}/"
    rows = [
        ("Auditor: jobs", jobs, "auditor", settings.airflow_auditor_login_password),
        ("Engineer: jobs", jobs, "engineer", settings.airflow_engineer_login_password),
        ("Quality, docs", f"http://127.0.0.1:{settings.site_port}/", "", ""),
    ]
    if superset:
        rows = [
            ("Leadership", screens, "leadership", settings.superset_leadership_login_password),
            ("Authority", screens, "authority", settings.superset_authority_login_password),
            ("Analyst", screens, "analyst", settings.superset_analyst_login_password),
            ("Auditor", screens, "auditor", settings.superset_auditor_login_password),
            ("Engineer", screens, "engineer", settings.superset_engineer_login_password),
            *rows,
        ]
    for row in rows:
        table.add_row(*row)
    return table

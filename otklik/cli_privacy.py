"""The commands of privacy: one resident taken out on request, and another key for the hashes of all."""

from typing import Annotated

import typer

from otklik.errors import OtklikError, UnreachableError
from otklik.settings import SettingsError, get_settings


def erase(
    author: Annotated[str, typer.Option(help="The resident's id, address or name, as the source gives it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
) -> None:
    """Take one resident out of everything: what landed, `raw`, the marts, refused rows.

    Messages stay as messages of nobody, and figures stay but for repeats. It cannot be undone. That it was done is kept
    in quality.erasure, not for whom; a file that comes again does not bring the resident back. Archives and files
    handed out before are out of its reach.

    Example: otklik erase --author https://vk.com/id77001
    """
    import psycopg

    from otklik.erasure import erase as take_out

    if not yes:
        typer.confirm("This cannot be undone. Take the resident out?", abort=True)
    try:
        done = take_out(author, get_settings(), lambda step: typer.echo(f"{step} ...", err=True))
    except (OtklikError, UnreachableError, SettingsError, psycopg.Error, OSError) as error:
        typer.echo(f"Error: {str(error).strip()}", err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"Taken out: {done.versions} versions of messages, {done.rejected} refused rows, {done.files} files,"
        f" {done.rows} rows of the models"
    )


def rotate_author_key() -> None:
    """Hash every author once more, by one more key; who is the same person stays the same.

    The new key is made up and added to .env, after a colon; where OTKLIK_AUTHOR_KEY is kept elsewhere, add it there and
    run this. Keep a copy of all keys: each is needed. Start Otklik again afterwards, so that what runs has it, too.

    Example: otklik rotate-author-key && otklik down && otklik up
    """
    import psycopg

    from otklik.warehouse.authors import rotate_key

    try:
        count = rotate_key(get_settings(), lambda step: typer.echo(f"{step} ...", err=True))
    except (OtklikError, UnreachableError, SettingsError, psycopg.Error, OSError) as error:
        typer.echo(f"Error: {str(error).strip()}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{count} authors are hashed by one more key. Keep a copy of OTKLIK_AUTHOR_KEY, and start Otklik again")

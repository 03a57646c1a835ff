"""Where files arrive and where they land: a folder here, or any address that fsspec knows.

How to get in stands where programs of the kind look for it: for S3 in the variables AWS_… or `~/.aws`, for SFTP in
`~/.ssh` (config, keys, known_hosts), for either in fsspec's own variables, such as FSSPEC_SFTP_PASSWORD.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from fsspec.config import conf
from upath import UPath
from upath.implementations.cloud import CloudPath

from otklik.errors import OtklikError, PlaceError, UnreachableError
from otklik.settings import Settings

# sshfs would trust any server. As with ssh itself, only those in known_hosts are trusted.
conf.setdefault("sftp", {}).setdefault("known_hosts", ())


def is_local(path: UPath) -> bool:
    """Tell whether the path is one of this machine."""
    return path.protocol in ("", "file", "local")


def has_folders(path: UPath) -> bool:
    """Tell whether folders must be made there; in an object store names only look as if they had folders."""
    return not isinstance(path, CloudPath)


@dataclass(frozen=True)
class Place:
    """The inbox or the landing zone: `setting` is the variable that names it, `address` what it says.

    `may_be_absent` where it is made with the first file.
    """

    setting: str
    address: str
    may_be_absent: bool

    @classmethod
    def inbox(cls, settings: Settings) -> Self:
        """Return where files arrive. A folder that somebody named is expected to be there."""
        return cls("OTKLIK_INBOX", str(settings.inbox), str(settings.inbox) == str(settings.var / "inbox"))

    @classmethod
    def landing(cls, settings: Settings) -> Self:
        """Return where files are kept as they came."""
        return cls("OTKLIK_LANDING", str(settings.landing), may_be_absent=True)

    @property
    def path(self) -> UPath:
        """Return the place as a path; nothing is asked of it yet."""
        with self.named():
            return UPath(self.address)

    def address_of(self, path: UPath) -> str:
        """Return the whole address of a path in the place; the path as text lacks user and host."""
        return self.address + path.path.removeprefix(self.path.path.rstrip("/"))

    def path_at(self, address: str) -> UPath:
        """Return the path of an address that `address_of` gave."""
        return self.path / address.removeprefix(self.address).lstrip("/")

    def check(self) -> None:
        """Raise PlaceError or UnreachableError when the place cannot be looked into."""
        with self.named():
            path = self.path
            # Files come from elsewhere: what was listed a while ago says nothing.
            path.fs.invalidate_cache()
            try:
                path.fs.ls(path.path)
            except FileNotFoundError:
                absent = self.may_be_absent and is_local(path)
                empty = not has_folders(path) and path.fs.exists(path.drive)
                if not (absent or empty):
                    raise

    @contextmanager
    def named(self) -> Iterator[None]:
        """Raise what goes wrong with the place as PlaceError, or UnreachableError where waiting may help."""
        try:
            yield
        except (OtklikError, UnreachableError):
            raise
        except Exception as error:
            where = f"{self.setting}: {self.address}"
            if advice := _advice(error):
                raise PlaceError(f"{where}: {_said(error)}; {advice}") from None
            raise UnreachableError(f"{where}: cannot be used now: {_said(error)}") from None


def _advice(error: Exception) -> str | None:
    """Return what to do about an error that waiting does not mend."""
    # Imported here: both are slow to load, and most centres have a folder.
    from asyncssh import HostKeyNotVerifiable, SFTPPermissionDenied
    from botocore.exceptions import NoCredentialsError, PartialCredentialsError

    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "make that folder or bucket, or correct the setting"
    if isinstance(error, HostKeyNotVerifiable):
        return "add the server's key to ~/.ssh/known_hosts (ssh-keyscan shows it; compare it with the server's owner)"
    if isinstance(error, PermissionError | SFTPPermissionDenied | NoCredentialsError | PartialCredentialsError):
        return "check login, key or password and the rights there (docs/engineers.md, Files elsewhere)"
    if isinstance(error, ImportError):
        return "install what it names"
    return None


def _said(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)

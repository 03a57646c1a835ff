"""What can go wrong in a way its reader can mend: every message says what and where, and what to do."""


class OtklikError(Exception):
    """Base of all errors that a user can act on."""


class MappingError(OtklikError):
    """A mapping file that cannot be used; nothing has been read yet."""


class FileError(OtklikError):
    """A file that cannot be read as its mapping says; other files go on."""


class SourceError(OtklikError):
    """An outside system that cannot be asked: the message names the connection and what to do."""


class CredentialsError(SourceError):
    """A token or password that the system refuses: nothing more is asked of it tonight."""


class PlaceError(OtklikError):
    """The inbox or the landing zone cannot be used as it is set: the message names the setting and what to do."""


class UnreachableError(Exception):
    """The inbox or the landing zone does not answer now. No OtklikError: to try again later may help."""

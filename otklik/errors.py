"""What can go wrong in a way its reader can mend: every message says what and where, and what to do."""


class OtklikError(Exception):
    """Base of all errors that a user can act on."""


class MappingError(OtklikError):
    """A mapping file that cannot be used; nothing has been read yet."""


class FileError(OtklikError):
    """A file that cannot be read as its mapping says; other files go on."""

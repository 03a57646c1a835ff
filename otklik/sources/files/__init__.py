"""Files, plain, gzipped or zipped, read as a mapping says: CSV, XLSX and JSON Lines, and systems' own exports.

`open_members` gives the streams in a file, `read_rows` the rows of a table as text, `read_export` records.
"""

from otklik.sources.files.exports import read_export
from otklik.sources.files.members import Member, open_members
from otklik.sources.files.rows import read_rows

__all__ = ["Member", "open_members", "read_export", "read_rows"]

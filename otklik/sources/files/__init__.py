"""Files: CSV, XLSX and JSON Lines, plain, gzipped or zipped, read as a mapping says.

`open_members` gives the streams in a file, `read_rows` their rows as text.
"""

from otklik.sources.files.members import Member, open_members
from otklik.sources.files.rows import read_rows

__all__ = ["Member", "open_members", "read_rows"]

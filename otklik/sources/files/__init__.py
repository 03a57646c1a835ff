"""Files of incidents: CSV, XLSX and JSON Lines, plain, gzipped or zipped, read as a mapping says.

`open_members` gives the streams in a file, `read_rows` their rows as text, `to_incidents` the typed rows.
"""

from otklik.sources.files.incidents import Checked, to_incidents
from otklik.sources.files.members import Member, open_members
from otklik.sources.files.rows import Rejected, TextRows, read_rows

__all__ = ["Checked", "Member", "Rejected", "TextRows", "open_members", "read_rows", "to_incidents"]

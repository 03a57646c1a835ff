"""Every evening: the centre's own lists, such as authorities, pages, surveys, broadcasts and materials."""

from airflow.sdk import dag
from inbox import all_files_loaded, files_of_the_night, load
from timetable import PATIENCE, daily


@dag(
    # At 22:00 of the region: what the registers name is asked about an hour later.
    **daily(22),
    default_args=PATIENCE,
    tags=["raw", "nightly"],
)
def lists():
    """
    **What.** Loads the files of the inbox whose mapping names another entity than incidents: registers of authorities,
    pages and surveys, broadcasts, materials, audiences counted elsewhere. A changed row becomes a new version.

    **When it fails**

    - `load`: that file could not be read; its log names the row and column and says what to do. Other files were
      loaded. Put the corrected file into the inbox and clear `load` of this run (with downstream).
    - `all_files_loaded`: names the files that failed; nothing to do here but at `load`.
    - `files_of_the_night`: a mapping or a setting is wrong, or the warehouse does not answer.
    """
    files = files_of_the_night(incidents=False)
    all_files_loaded(files, load.expand(file=files))


lists()

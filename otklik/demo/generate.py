"""Write the made-up region's files: `python -m otklik.demo.generate FOLDER [SEED]`."""

from __future__ import annotations

import sys
from pathlib import Path

from otklik.demo.region import SEED, generate

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if len(arguments) not in (1, 2):
        sys.exit("Name the folder to write into: python -m otklik.demo.generate FOLDER [SEED]")
    files = generate(Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else SEED)
    print(f"{len(files.history)} files of history, {files.night.name}, notes: {files.notes}")

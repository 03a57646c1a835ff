"""Credentials of stand-ins kept in a file, so that who asks and who answers agree on them."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from otklik.demo.standin.credentials import Credentials


def kept_credentials(path: Path) -> Credentials:
    """Read the credentials, or make new ones up and write them into a file that only its owner can read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Credentials(**json.loads(path.read_text(encoding="utf-8")))
    credentials = Credentials()
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(credentials), file, indent=1)
    return credentials

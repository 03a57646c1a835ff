"""Run the stand-ins of the made-up region: `python -m otklik.demo.standin --port P --now ... --credentials FILE`."""

import argparse
from datetime import datetime
from pathlib import Path

import uvicorn

from otklik.demo.standin.app import make_app
from otklik.demo.standin.credentials_file import kept_credentials
from otklik.demo.standin.region import region_world


def main() -> None:
    """Serve until stopped, on loopback only."""
    arguments = _arguments()
    app = make_app(region_world(arguments.now), kept_credentials(arguments.credentials), limits=not arguments.no_limits)
    # The Date header is the world's, and no access log: some systems carry their token in the address.
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, date_header=False, access_log=False, log_level="warning")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m otklik.demo.standin", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--now", type=_moment, required=True, help="what the clock shows: 2022-12-31T23:00:00+05:00")
    parser.add_argument("--credentials", type=Path, required=True, help="JSON; made up and written where it is missing")
    parser.add_argument("--no-limits", action="store_true", help="refuse nobody for asking too often")
    return parser.parse_args()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no offset: write it like 2022-12-31T23:00:00+05:00")
    return moment


if __name__ == "__main__":
    main()

"""The inbox and the landing zone in a folder, in S3 and on an SFTP server: the same files give the same tables."""

import gzip
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from fsspec.config import conf, set_conf_env

from otklik.errors import FileError, PlaceError, UnreachableError
from otklik.landing import land_answers, landed_answers, read_answers
from otklik.load import load_file
from otklik.night import PendingFile, load_pending, pending_files
from otklik.places import Place
from otklik.runtime.airflow import airflow_environment
from otklik.runtime.doctor import examine
from otklik.settings import Settings, SettingsError, get_settings
from otklik.sources.records import Answer
from tests.fixtures.cluster import environment, free_port, fresh_warehouse
from tests.fixtures.files import NIGHT, Centre, csv_text, row
from tests.fixtures.places import BUCKET, PASSWORD, USER, SftpServer, s3_client, s3_store, sftp_server

FILES = {
    "1 марта.csv": csv_text([row("1"), row("2", Текст="Яма, #5")]).encode(),
    "2.csv.gz": gzip.compress(csv_text([row("3"), row("4", Статус="Неведомо")]).encode()),
}


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with s3_store() as url:
        yield url


@pytest.fixture
def s3(store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a store, and what its users have in their environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return store


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    with sftp_server(tmp_path) as server:
        monkeypatch.setitem(conf, "sftp", configured(server))
        yield server


def configured(server: SftpServer) -> dict[str, Any]:
    """What fsspec takes from the environment of a user of the server, at the start of a process."""
    found: dict[str, Any] = {}
    variables = {"FSSPEC_SFTP_PASSWORD": PASSWORD, "FSSPEC_SFTP_KNOWN_HOSTS": str(server.known_hosts)}
    set_conf_env(found, variables)
    return dict(found["sftp"])


def night_of(centre: Centre, inbox: str, landing: str | None = None) -> Settings:
    """The settings of the centre with its inbox and landing zone elsewhere."""
    centre.mapping()
    places = {"inbox": inbox} | ({"landing": landing} if landing else {})
    return centre.settings.model_copy(update={"mappings": (centre.folder,), **places})


def load_night(settings: Settings) -> list[tuple[str, int, int]]:
    """Load the night's files as its DAG does; return name, rows loaded and rejected of each."""
    pending = [file.as_dict() for file in pending_files(NIGHT, settings, incidents=True)]
    reports = [report for file in pending for report in load_pending(PendingFile(**file), NIGHT, settings)]
    return [(report.file_name, report.rows_loaded, report.rows_rejected) for report in reports]


def tables(centre: Centre) -> list[list[dict[str, Any]]]:
    """Everything in raw but when and where."""
    return [
        centre.query("select * from raw.incident order by batch_id, row_number"),
        centre.query("select * from raw.rejected_row order by batch_id, row_number"),
        centre.query(
            "select batch_id, source, file_name, content_sha256, file_bytes, rows_read, rows_loaded, status"
            " from raw.batch order by batch_id"
        ),
    ]


def in_folder(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    (folder / ".part").write_bytes(b"not yet whole")


def in_bucket(url: str, prefix: str) -> None:
    for name, content in (FILES | {".part": b"not yet whole"}).items():
        s3_client(url).put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=content)


LOADED = [("1 марта.csv", 2, 0), ("2.csv.gz", 1, 1)]


def load_by_hand(centre: Centre, address: str) -> subprocess.CompletedProcess[str]:
    mapping = str(centre.mapping().path)
    command = [f"{sys.prefix}/bin/otklik", "load", address, "--mapping", mapping, "--to", "2022-03-15"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_files_are_loaded_by_hand_from_a_folder_and_by_their_address(centre: Centre, tmp_path: Path, s3: str) -> None:
    in_folder(tmp_path / "march")
    in_bucket(s3, "march")
    here = load_by_hand(centre, str(tmp_path / "march"))
    assert (here.returncode, here.stdout.splitlines()[-1].split()) == (0, ["All", "4", "3", "1", "0"]), here.stderr
    # The same files by another way are the same batches.
    there = load_by_hand(centre, f"s3://{BUCKET}/march")
    assert (there.returncode, there.stdout) == (0, here.stdout), there.stderr
    assert centre.query("select count(*) as n from raw.batch") == [{"n": 2}]


def test_a_file_that_is_not_there_is_named_by_its_address(centre: Centre, s3: str) -> None:
    absent = load_by_hand(centre, f"s3://{BUCKET}/april.csv")
    assert absent.returncode == 1
    assert f"april.csv: there is no such file as s3://{BUCKET}/april.csv" in absent.stderr


def test_a_folder_s3_and_sftp_give_the_same_tables(
    cluster: Settings, tmp_path: Path, s3: str, sftp: SftpServer
) -> None:
    in_folder(tmp_path / "here/centre")
    in_folder(sftp.root / "inbox/centre")
    in_bucket(s3, "inbox/centre")
    told = []
    for inbox in (str(tmp_path / "here"), f"s3://{BUCKET}/inbox", sftp.address("inbox")):
        with fresh_warehouse(cluster) as warehouse:
            centre = Centre(warehouse, tmp_path)
            settings = night_of(centre, inbox)
            assert load_night(settings) == LOADED
            assert load_night(settings) == []
            told.append(tables(centre))
    assert [len(table) for table in told[0]] == [3, 1, 2]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("kind", ["s3", "sftp"])
def test_a_file_that_changed_elsewhere_is_loaded_again(centre: Centre, s3: str, sftp: SftpServer, kind: str) -> None:
    in_folder(sftp.root / "inbox/centre")
    in_bucket(s3, "changing/centre")
    inbox = {"s3": f"s3://{BUCKET}/changing", "sftp": sftp.address("inbox")}[kind]
    settings = night_of(centre, inbox)
    assert load_night(settings) == LOADED
    changed = csv_text([row("1"), row("5")]).encode()
    (sftp.root / "inbox/centre/1 марта.csv").write_bytes(changed)
    s3_client(s3).put_object(Bucket=BUCKET, Key="changing/centre/1 марта.csv", Body=changed)
    assert load_night(settings) == [("1 марта.csv", 1, 0)]


@pytest.mark.parametrize("kind", ["s3", "sftp"])
def test_what_lands_elsewhere_is_there_unchanged_under_the_address_of_the_ledger(
    centre: Centre, s3: str, sftp: SftpServer, kind: str
) -> None:
    in_folder(centre.folder / "inbox/centre")
    landing = {"s3": f"s3://{BUCKET}", "sftp": sftp.address("landing")}[kind]
    settings = night_of(centre, str(centre.folder / "inbox"), landing)
    assert load_night(settings) == LOADED
    landed = {line["landed_path"] for line in centre.query("select landed_path from raw.batch")}
    assert {address.partition("-")[2].partition("-")[2].partition("-")[2] for address in landed} == set(FILES)
    names = {address.removeprefix(f"{landing}/"): address for address in landed}
    assert {name: content(kind, name, s3, sftp) for name in names} == {
        name: next(body for end, body in FILES.items() if name.endswith(end)) for name in names
    }
    assert {name.rpartition("/")[0] for name in names} == {"centre/2022-03-15"}
    assert names.keys() == everything(kind, s3, sftp)


def content(kind: str, name: str, s3: str, sftp: SftpServer) -> bytes:
    if kind == "sftp":
        return (sftp.root / "landing" / name).read_bytes()
    return s3_client(s3).get_object(Bucket=BUCKET, Key=name)["Body"].read()


def everything(kind: str, s3: str, sftp: SftpServer) -> set[str]:
    """What lies in the landing zone, passing names too."""
    if kind == "sftp":
        root = sftp.root / "landing"
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    found = s3_client(s3).list_objects_v2(Bucket=BUCKET, Prefix="centre/")["Contents"]
    return {each["Key"] for each in found}


def test_answers_of_a_system_land_in_s3_and_are_read_from_there(centre: Centre, s3: str) -> None:
    zone = Place("OTKLIK_LANDING", f"s3://{BUCKET}/answers", may_be_absent=True)
    answers = [Answer({"page": "1"}, NIGHT.end, '{"members": 7}')]
    landed = land_answers(zone.path, "vk", "66-000", answers, NIGHT)
    assert [zone.address_of(each.path) for each in landed_answers(zone.path, "vk", "66-000", NIGHT)] == [
        f"s3://{BUCKET}/answers/vk/2022-03-15/{landed.sha256[:16]}-66-000.jsonl.gz"
    ]
    assert list(read_answers(landed)) == answers


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("s3://nobody/inbox", "OTKLIK_INBOX: s3://nobody/inbox: The specified bucket does not exist; make that"),
        ("sftp:inbox-of-nobody", ": No such file or directory; make that folder or bucket, or correct the setting"),
        ("sftp:otklik2", ": Permission denied for user mallory on host 127.0.0.1; check login, key or password"),
        ("folder", ": No such file or directory; make that folder or bucket, or correct the setting"),
    ],
)
def test_an_inbox_that_cannot_be_used_is_told_by_its_setting(
    centre: Centre, s3: str, sftp: SftpServer, address: str, says: str
) -> None:
    (sftp.root / "inbox").mkdir()
    inbox = {
        "sftp:inbox-of-nobody": sftp.address("absent"),
        "sftp:otklik2": sftp.address("inbox", user="mallory"),
        "folder": str(centre.folder / "absent"),
    }.get(address, address)
    with pytest.raises(PlaceError) as refusal:
        load_night(night_of(centre, inbox))
    assert str(refusal.value).startswith(f"OTKLIK_INBOX: {inbox}: ")
    assert says in str(refusal.value)
    assert PASSWORD not in str(refusal.value)


def test_a_server_whose_key_is_not_known_is_not_trusted(
    centre: Centre, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(conf, "sftp", {"password": PASSWORD, "known_hosts": ()})
    with pytest.raises(PlaceError, match=r"OTKLIK_INBOX: .*not trusted.*; add the server's key to ~/\.ssh/known_hosts"):
        load_night(night_of(centre, sftp.address("inbox")))


def test_a_server_that_is_away_may_be_back_at_the_next_try(centre: Centre, sftp: SftpServer) -> None:
    address = f"sftp://{USER}@127.0.0.1:{free_port()}/inbox"
    with pytest.raises(UnreachableError, match=f"OTKLIK_INBOX: {address}: cannot be used now: Connection refused"):
        load_night(night_of(centre, address))


def test_a_bucket_for_landing_that_is_not_there_is_told_and_not_made(centre: Centre, s3: str) -> None:
    settings = night_of(centre, str(centre.folder), "s3://nobody/landing")
    file = centre.write(csv_text([row("1")]))
    with pytest.raises(PlaceError, match="OTKLIK_LANDING: s3://nobody/landing: The specified bucket does not exist"):
        load_file(file, centre.mapping(), NIGHT, settings)
    assert [bucket["Name"] for bucket in s3_client(s3).list_buckets()["Buckets"]] == [BUCKET]
    assert centre.query("select * from raw.batch") == []


def test_a_file_that_vanished_from_the_inbox_is_an_error_of_that_file(centre: Centre, sftp: SftpServer) -> None:
    in_folder(sftp.root / "inbox/centre")
    settings = night_of(centre, sftp.address("inbox"))
    gone, _ = pending_files(NIGHT, settings, incidents=True)
    (sftp.root / "inbox/centre/1 марта.csv").unlink()
    with pytest.raises(FileError, match=r"1 марта\.csv: there is no such file"):
        load_pending(gone, NIGHT, settings)


def test_the_doctor_tells_what_cannot_be_reached(warehouse: Settings, s3: str) -> None:
    shared = {name.removeprefix("OTKLIK_"): value for name, value in warehouse.environment().items()}
    with environment(**shared | {"INBOX": "s3://nobody/inbox", "LANDING": f"s3://{BUCKET}/landing"}):
        inbox, landing = (
            finding for finding in islice(examine(), 8) if "landing" in finding.what or "inbox" in finding.what
        )
    assert (inbox.well, inbox.what.partition(";")[0]) == (
        False,
        "The inbox: OTKLIK_INBOX: s3://nobody/inbox: The specified bucket does not exist",
    )
    assert inbox.advice == "Mend it, or set OTKLIK_INBOX to where it is."
    assert (landing.well, landing.what) == (True, f"The landing zone is s3://{BUCKET}/landing")


def test_airflow_gets_what_opens_the_places(warehouse: Settings, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSSPEC_SFTP_PASSWORD", PASSWORD)
    settings = warehouse.model_copy(update={"inbox": "sftp://otklik@centre.example/inbox"})
    handed_on = airflow_environment(settings)
    assert handed_on["OTKLIK_INBOX"] == "sftp://otklik@centre.example/inbox"
    assert (handed_on["AWS_ENDPOINT_URL"], handed_on["FSSPEC_SFTP_PASSWORD"]) == (s3, PASSWORD)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("sftp://otklik:hush-hush@centre.example/inbox", "OTKLIK_INBOX: leave the password out of the address"),
        ("carrier-pigeon://centre/inbox", "OTKLIK_INBOX: no address begins with carrier-pigeon://"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_setting_that_is_wrong(
    warehouse: Settings, address: str, says: str
) -> None:
    shared = {name.removeprefix("OTKLIK_"): value for name, value in warehouse.environment().items()}
    with environment(**shared | {"INBOX": address}), pytest.raises(SettingsError) as refusal:
        get_settings()
    assert says in str(refusal.value)
    assert "hush-hush" not in str(refusal.value)

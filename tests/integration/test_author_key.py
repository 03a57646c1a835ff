"""One more key for the hashes of authors: who was the same person still is, and nobody loads by another key."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from dotenv import dotenv_values

from otklik.erasure import erase
from otklik.interval import Interval
from otklik.settings import Settings, SettingsError
from otklik.warehouse.authors import rotate_key
from tests.fixtures.cluster import fresh_warehouse
from tests.fixtures.dbt import TestWarehouse
from tests.fixtures.files import ZONE, Centre, row

LATER = Interval.of_day(date(2022, 3, 16), ZONE)
MARTS = ("fct_message",)
IN_RAW = "select author_hash from raw.incident order by message_id"
IN_MARTS = "select author_hash from marts.fct_message order by message_id"


@pytest.fixture
def centre(cluster: Settings, seeded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    """A centre to which one resident has written twice and another once, modelled; its key is kept in its home."""
    with fresh_warehouse(cluster, seeded) as settings:
        monkeypatch.delenv("OTKLIK_AUTHOR_KEY")
        home = tmp_path / "home"
        home.mkdir()
        (home / ".env").write_text(f"OTKLIK_AUTHOR_KEY={settings.author_key}\nOTKLIK_SITE_PORT=9999\n")
        (home / ".env").chmod(0o600)
        centre = Centre(settings.model_copy(update={"home": home}), tmp_path)
        centre.load_rows(row("1", Автор="vk-1"), row("2", Автор="vk-2"), row("3", Автор="vk-1"))
        TestWarehouse(settings).model(marts=MARTS)
        yield centre


def hashed(author: str, keys: tuple[str, ...]) -> str:
    """The keyed hash by an independent route."""
    for key in keys:
        author = hmac.new(key.encode(), author.encode(), hashlib.sha256).hexdigest()
    return author


def hashes(centre: Centre, query: str = IN_RAW) -> list[str]:
    return [row["author_hash"] for row in centre.query(query)]


def rotated(centre: Centre) -> Centre:
    """Rotate the key, and return the centre with the settings that `.env` now holds."""
    assert rotate_key(centre.settings) == 2
    key = dotenv_values(centre.settings.env_file)["OTKLIK_AUTHOR_KEY"]
    return Centre(centre.settings.model_copy(update={"author_key": key}), centre.folder)


def test_after_a_rotation_a_resident_is_the_same_in_what_was_there_and_in_what_comes(centre: Centre) -> None:
    before = hashes(centre)
    after = rotated(centre)
    keys = after.settings.author_keys
    assert keys[:1] == centre.settings.author_keys
    assert len(set(keys)) == 2
    expected = [hashed("vk-1", keys), hashed("vk-2", keys), hashed("vk-1", keys)]
    assert hashes(after) == expected
    assert hashes(after, IN_MARTS) == expected
    assert set(before).isdisjoint(expected)
    after.load_rows(row("4", Автор="vk-1"), name="later.csv", night=LATER)
    assert hashes(after)[-1] == expected[0]


def test_the_file_of_secrets_keeps_what_else_it_holds_and_stays_private(centre: Centre) -> None:
    rotated(centre)
    assert dotenv_values(centre.settings.env_file)["OTKLIK_SITE_PORT"] == "9999"
    assert centre.settings.env_file.stat().st_mode & 0o077 == 0


def test_who_was_erased_stays_so_after_a_rotation(centre: Centre) -> None:
    erase("vk-1", centre.settings)
    after = rotated(centre)
    after.load_rows(row("4", Автор="vk-1"), name="later.csv", night=LATER)
    assert hashes(after)[-1] is None


def test_what_still_runs_with_the_old_key_loads_nothing(centre: Centre) -> None:
    rotated(centre)
    with pytest.raises(SettingsError, match="If it was rotated while this was running, start it again"):
        centre.load_rows(row("4", Автор="vk-1"), name="later.csv", night=LATER)
    assert len(hashes(centre)) == 3


def test_another_key_is_refused_and_one_that_was_only_written_down_is_to_be_rotated_to(centre: Centre) -> None:
    other = Centre(centre.settings.model_copy(update={"author_key": "another"}), centre.folder)
    with pytest.raises(SettingsError, match="is not the key that authors in the warehouse are hashed by"):
        other.load_rows(row("4"), name="later.csv", night=LATER)
    longer = centre.settings.model_copy(update={"author_key": f"{centre.settings.author_key}:next"})
    with pytest.raises(SettingsError, match="run `otklik rotate-author-key`"):
        Centre(longer, centre.folder).load_rows(row("4"), name="later.csv", night=LATER)
    assert rotate_key(longer) == 2
    assert hashes(centre)[0] == hashed("vk-1", longer.author_keys)


def test_a_key_kept_elsewhere_is_to_be_added_there(centre: Centre) -> None:
    centre.settings.env_file.write_text("OTKLIK_SITE_PORT=9999\n")
    with pytest.raises(SettingsError, match="add the new key where it is kept, after a colon"):
        rotate_key(centre.settings)
    assert hashes(centre)[0] == hashed("vk-1", centre.settings.author_keys)

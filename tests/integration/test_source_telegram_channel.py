"""The complaint channel, heard of by its bot over HTTP and exported by Telegram Desktop."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import ChannelPost, Clock, World
from otklik.errors import CredentialsError, FileError, SourceError
from otklik.sources import telegram_channel
from otklik.sources.connection import Connection
from otklik.sources.files.telegram_export import read_export
from otklik.sources.records import Answer, Record
from tests.fixtures.standin import StandIn, standing_in

NOW = datetime(2022, 12, 1, 22, tzinfo=UTC)
CHAT = -1001500000001


def post(number: int, **how: Any) -> ChannelPost:
    return ChannelPost(
        1000 + number, number, NOW - timedelta(hours=10) + timedelta(minutes=number), f"Суп {number}", **how
    )


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with standing_in(World(Clock(NOW), posts=[post(number) for number in range(1, 251)])) as running:
        yield running


def connection(standin: StandIn, **extra: str) -> Connection:
    return Connection(
        "school_meals",
        f"{standin.url}/telegram",
        password=standin.credentials.telegram_token,
        extra={"rate": "0", "first_wait": "0.01", "chat": "@school_meals_66"} | extra,
    )


def records(answers: list[Answer]) -> list[Record]:
    landed = [Answer.of_line(answer.as_line()) for answer in answers]
    found = list(telegram_channel.read(landed))
    assert all((each.entity, each.kind) == ("incident", "telegram.channel_post") for each in found)
    return [record for each in found for record in each.rows]


def ids(answers: list[Answer]) -> list[str | None]:
    return [record.values["message_id"] for record in records(answers)]


def all_ids(standin: StandIn) -> list[str]:
    return [f"{CHAT}/{each.message_id}" for each in standin.world.posts]


def test_a_post_becomes_a_message_of_the_channel(standin: StandIn) -> None:
    posted_at = datetime(2022, 12, 1, 12, 30, tzinfo=UTC)
    standin.world.posts[:] = [ChannelPost(7, 15, posted_at, "Каша холодная", author_name="Анна К.")]
    (record,) = records(list(telegram_channel.pull(connection(standin))))
    assert record.problem is None
    assert record.values == {
        "message_id": "-1001500000001/15",
        "incident_id": "-1001500000001/15",
        "channel": "telegram_channel",
        "status": "new",
        "received_at": "2022-12-01T12:30:00+00:00",
        "updated_at": "2022-12-01T12:30:00+00:00",
        "message_text": "Каша холодная",
        "message_url": "https://t.me/school_meals_66/15",
        "author_name": "Анна К.",
        "author_id": None,
    }


def test_more_updates_than_a_page_holds_all_come_in_order(standin: StandIn) -> None:
    answers = list(telegram_channel.pull(connection(standin)))
    assert [len(json.loads(answer.body or "")["result"]) for answer in answers] == [100, 100, 50]
    assert ids(answers) == all_ids(standin)


def test_a_queue_that_ends_with_a_full_page_comes_whole(standin: StandIn) -> None:
    del standin.world.posts[200:]
    answers = list(telegram_channel.pull(connection(standin)))
    assert len(answers) == 2
    assert ids(answers) == all_ids(standin)


def test_killed_before_the_first_page_landed_the_next_pull_tells_everything_again(standin: StandIn) -> None:
    killed = telegram_channel.pull(connection(standin))
    next(killed)
    killed.close()
    assert ids(list(telegram_channel.pull(connection(standin)))) == all_ids(standin)


def test_killed_while_the_second_page_lands_only_the_landed_first_is_not_told_again(standin: StandIn) -> None:
    killed = telegram_channel.pull(connection(standin))
    landed = [next(killed)]
    next(killed)
    killed.close()
    again = list(telegram_channel.pull(connection(standin)))
    assert ids(again) == all_ids(standin)[100:]
    assert ids(landed + again) == all_ids(standin)


def test_killed_between_landing_and_confirming_the_last_page_is_told_again(standin: StandIn) -> None:
    landed = list(telegram_channel.pull(connection(standin)))
    again = list(telegram_channel.pull(connection(standin)))
    assert again[0].body == landed[-1].body
    assert len(again) == 1


def test_what_is_confirmed_is_not_told_again_and_what_came_meanwhile_is(standin: StandIn) -> None:
    landed = list(telegram_channel.pull(connection(standin)))
    standin.world.posts.append(post(251))
    telegram_channel.confirm(connection(standin), landed)
    assert ids(list(telegram_channel.pull(connection(standin)))) == [f"{CHAT}/251"]


def test_nothing_is_confirmed_where_nothing_came(standin: StandIn) -> None:
    standin.world.posts.clear()
    answers = list(telegram_channel.pull(connection(standin)))
    asked = len(standin.log)
    telegram_channel.confirm(connection(standin), answers)
    assert (answers, len(standin.log)) == ([], asked)


def test_an_edit_is_a_later_version_of_its_post(standin: StandIn) -> None:
    first = post(1)
    edited = replace(first, update_id=2000, text="Суп остыл", edited_at=NOW - timedelta(hours=1))
    standin.world.posts[:] = [first, edited]
    before, after = (record.values for record in records(list(telegram_channel.pull(connection(standin)))))
    assert before["message_id"] == after["message_id"]
    assert (before["updated_at"], after["updated_at"]) == ("2022-12-01T12:01:00+00:00", "2022-12-01T21:00:00+00:00")
    assert before["received_at"] == after["received_at"]
    assert (before["message_text"], after["message_text"]) == ("Суп 1", "Суп остыл")


def test_posts_of_another_chat_are_not_the_channels(standin: StandIn) -> None:
    standin.world.posts[:] = [post(1)]
    standin.faults.append(
        Fault("telegram", "wrong_type", "getUpdates", field="result[].channel_post.chat.id", value=-100200)
    )
    assert records(list(telegram_channel.pull(connection(standin)))) == []


def test_the_channel_may_be_named_by_its_id(standin: StandIn) -> None:
    assert ids(list(telegram_channel.pull(connection(standin, chat=str(CHAT))))) == all_ids(standin)


def test_a_flood_is_waited_for_and_the_page_comes(standin: StandIn) -> None:
    standin.faults.append(Fault("telegram", "error", "getUpdates", 429))
    assert ids(list(telegram_channel.pull(connection(standin)))) == all_ids(standin)
    first, second = [asked.arrived for asked in standin.log if asked.path.endswith("getUpdates")][:2]
    assert 1 <= second - first < 1.5


@pytest.mark.parametrize("kind", ["cut", "bad_json"])
def test_a_damaged_page_is_asked_for_again_and_nothing_is_lost(standin: StandIn, kind: Any) -> None:
    standin.faults.append(Fault("telegram", kind, "getUpdates", after=1))
    assert ids(list(telegram_channel.pull(connection(standin)))) == all_ids(standin)


def test_a_page_that_stays_damaged_is_an_error_and_waits_there(standin: StandIn) -> None:
    standin.faults.append(Fault("telegram", "bad_json", "getUpdates", times=None, after=1))
    pull = telegram_channel.pull(connection(standin))
    landed = [next(pull)]
    with pytest.raises(SourceError, match=r"school_meals: no usable answer \(the answer is not Telegram's\)"):
        next(pull)
    standin.faults.clear()
    assert ids(landed + list(telegram_channel.pull(connection(standin)))) == all_ids(standin)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (409, "school_meals: something else reads the updates of this bot"),
        (400, "school_meals: Telegram refuses getUpdates: 400"),
        (403, "school_meals: Telegram refuses getUpdates: 403"),
        (503, "school_meals: no usable answer .HTTP 503."),
    ],
)
def test_a_refusal_says_what_to_do(standin: StandIn, code: int, message: str) -> None:
    standin.faults.append(Fault("telegram", "error", "getUpdates", code, times=None))
    with pytest.raises(SourceError, match=message):
        list(telegram_channel.pull(connection(standin)))


@pytest.mark.parametrize("code", [401, 404])
def test_a_refused_token_is_named_by_its_connection_and_never_shown(
    standin: StandIn, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    token = "123:wrong-secret" if code == 401 else "wrong-secret"
    refused = Connection("school_meals", f"{standin.url}/telegram", password=token, extra={"chat": "@x"})
    with caplog.at_level(logging.DEBUG):
        for ask in (lambda: telegram_channel.check(refused), lambda: next(telegram_channel.pull(refused))):
            with pytest.raises(CredentialsError, match=f"school_meals: .*error {code}") as raised:
                ask()
            assert "secret" not in repr(raised.value)
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("chat", "message"), [("@nobody", "does not show the bot the chat @nobody"), ("", "no extra field 'chat'")]
)
def test_a_channel_that_cannot_be_found_is_said_before_anything_is_taken(
    standin: StandIn, chat: str, message: str
) -> None:
    for ask in (telegram_channel.check, lambda to: next(telegram_channel.pull(to))):
        with pytest.raises(SourceError, match=message):
            ask(connection(standin, chat=chat))
    assert not any(asked.path.endswith("getUpdates") for asked in standin.log)


def told(update: Any) -> list[Record]:
    body = json.dumps({"ok": True, "result": [update]})
    answer = Answer({"method": "getUpdates", "chat_id": CHAT}, NOW, body)
    return [record for each in telegram_channel.read([answer]) for record in each.rows]


def message(**how: Any) -> dict[str, Any]:
    return {"update_id": 1, "message": {"message_id": 3, "chat": {"id": CHAT}, "date": 1669896000} | how}


def test_a_caption_is_a_text_and_a_persons_name_is_whole() -> None:
    (record,) = told(message(caption="Фото каши", **{"from": {"id": 77, "first_name": "Анна", "last_name": "К."}}))
    assert record.values["message_text"] == "Фото каши"
    assert (record.values["author_name"], record.values["author_id"]) == ("Анна К.", "77")
    assert record.values["message_url"] is None


@pytest.mark.parametrize("aside", [message(new_chat_title="Другое"), {"update_id": 1, "my_chat_member": {}}])
def test_what_is_no_message_is_left_aside(aside: dict[str, Any]) -> None:
    assert told(aside) == []


def test_an_update_of_an_unheard_of_kind_is_not_lost() -> None:
    (record,) = told({"update_id": 1, "story_post": {"text": "…"}})
    assert (record.problem, record.original) == (
        "обновление Telegram без сообщения",
        {"update_id": 1, "story_post": {"text": "…"}},
    )


def test_values_of_a_wrong_type_go_to_the_contract_as_they_are() -> None:
    (record,) = told(message(date="вчера", message_id="x", text=["a", 1]))
    assert record.values["message_id"] is None
    assert (record.values["received_at"], record.values["message_text"]) == ("вчера", '["a", 1]')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["chat", "id", "message_id", "date", "text", "from", "username", "edit_date", "from_id"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
POSTS = st.fixed_dictionaries(
    {"chat": st.just({"id": CHAT})}, optional=dict.fromkeys(("message_id", "date", "text"), JSON)
)
UPDATES = st.lists(JSON | st.fixed_dictionaries({"update_id": JSON, "channel_post": JSON | POSTS}), max_size=4)


def is_another_chats(update: Any) -> bool:
    if not isinstance(update, dict) or not isinstance(update.get("channel_post"), dict):
        return False
    chat = update["channel_post"].get("chat")
    return isinstance(chat, dict) and type(chat.get("id")) is int and chat["id"] != CHAT


@given(UPDATES)
def test_every_update_is_accounted_for_whatever_it_holds(updates: list[Any]) -> None:
    answer = Answer({"method": "getUpdates", "chat_id": CHAT}, NOW, json.dumps({"ok": True, "result": updates}))
    rows = [record for each in telegram_channel.read([answer]) for record in each.rows]
    assert len(rows) == sum(not is_another_chats(update) for update in updates)


@given(st.none() | st.text() | JSON.map(json.dumps))
def test_an_answer_that_is_no_list_of_updates_is_one_problem(body: str | None) -> None:
    (found,) = telegram_channel.read([Answer({"method": "getUpdates", "chat_id": CHAT}, NOW, body)])
    assert [record.problem for record in found.rows] == ["ответ Telegram не содержит списка обновлений"]


def export(*messages: Any, **how: Any) -> bytes:
    chat = {"name": "Школьное питание", "type": "public_channel", "id": 1500000001, "messages": list(messages)}
    return json.dumps(chat | how, ensure_ascii=False).encode()


EXPORTED = {
    "id": 15,
    "type": "message",
    "date": "2022-12-01T17:30:00",
    "date_unixtime": "1669897800",
    "from": "Школьное питание",
    "from_id": "channel1500000001",
    "author": "Анна К.",
    "text": "Каша холодная",
}


def test_the_export_and_the_bot_tell_the_same_message_alike(standin: StandIn) -> None:
    posted_at = datetime(2022, 12, 1, 12, 30, tzinfo=UTC)
    standin.world.posts[:] = [ChannelPost(7, 15, posted_at, "Каша холодная", author_name="Анна К.")]
    (heard,) = records(list(telegram_channel.pull(connection(standin))))
    (exported,) = read_export(export(EXPORTED), "result.json", "school_meals_66").rows
    assert exported.values == heard.values


def test_an_exported_text_in_pieces_is_joined_and_an_edit_dated() -> None:
    pieces = ["Каша ", {"type": "bold", "text": "холодная"}, "!"]
    edited = EXPORTED | {"text": pieces, "edited_unixtime": "1669901400", "from": "Анна", "from_id": "user77"}
    del edited["author"]
    found = read_export(export(edited), "result.json")
    assert (found.entity, found.kind) == ("incident", "telegram.export_message")
    values = found.rows[0].values
    assert values["message_text"] == "Каша холодная!"
    assert (values["received_at"], values["updated_at"]) == ("2022-12-01T12:30:00+00:00", "2022-12-01T13:30:00+00:00")
    assert (values["author_name"], values["author_id"], values["message_url"]) == ("Анна", "77", None)


def test_service_messages_of_an_export_are_left_aside_and_nothing_else_is() -> None:
    found = read_export(
        export(EXPORTED, {"id": 1, "type": "service", "action": "pin_message"}, "x", {"id": 2}), "r.json"
    )
    assert [(record.values.get("message_id"), record.problem) for record in found.rows] == [
        ("-1001500000001/15", None),
        (None, "сообщение выгрузки Telegram не является объектом"),
        (None, "неизвестный вид сообщения в выгрузке Telegram"),
    ]


@pytest.mark.parametrize(
    ("kind", "chat_id"),
    [("private_supergroup", "-1001500000001"), ("private_group", "-1500000001"), ("personal_chat", "1500000001")],
)
def test_the_chats_id_is_written_as_the_bot_writes_it(kind: str, chat_id: str) -> None:
    (record,) = read_export(export(EXPORTED, type=kind), "result.json").rows
    assert record.values["message_id"] == f"{chat_id}/15"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (export(EXPORTED)[:-30], "result.json: not JSON, or cut off"),
        (b"\xff\xfe", "result.json: not JSON, or cut off"),
        (b"[1]", "result.json: not the export of a chat"),
        (b'{"chats": {"list": []}}', "result.json: an export of the whole account"),
    ],
)
def test_a_file_that_is_no_export_of_a_chat_is_named(body: bytes, message: str) -> None:
    with pytest.raises(FileError, match=message):
        read_export(body, "result.json")


@given(st.lists(JSON | JSON.map(lambda value: EXPORTED | {"text": value, "from_id": value, "id": value}), max_size=4))
def test_every_exported_message_is_accounted_for_whatever_it_holds(messages: list[Any]) -> None:
    assert len(read_export(export(*messages), "result.json").rows) == len(messages)

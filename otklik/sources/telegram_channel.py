"""Complaints that residents leave in the centre's Telegram channel, as its bot hears of them (getUpdates).

Telegram keeps an update for 24 hours, and forgets it as soon as a later one is asked for. So `pull` asks for the next
page only when its answer has been taken: land each answer before taking the next, never gather them first. The last
page is forgotten by `confirm`, after landing. Killed in between, the next pull is told the same again; what had landed
before is loaded from the landing zone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx

from otklik.errors import SourceError
from otklik.sources import telegram_bot
from otklik.sources.connection import Connection
from otklik.sources.http import TryAgain, body_of, clock_of
from otklik.sources.incident_records import as_text, moment_of, unreadable
from otklik.sources.pages import parsed
from otklik.sources.records import Answer, Record, Records
from otklik.sources.telegram_bot import bot_for, judge_token, method_path, refusal
from otklik.sources.turns import Ask, in_turn

AT_ONCE = 100
"""Updates a page holds at most."""

KIND = "telegram.channel_post"

_POSTS = ("channel_post", "edited_channel_post", "message", "edited_message")
# Kinds of updates that hold no message: they may wait from before the bot was asked for messages alone.
_ASIDE = {
    "callback_query",
    "chat_boost",
    "chat_join_request",
    "chat_member",
    "chosen_inline_result",
    "inline_query",
    "message_reaction",
    "message_reaction_count",
    "my_chat_member",
    "poll",
    "poll_answer",
    "removed_chat_boost",
}
# What Telegram itself writes into a channel.
_SERVICE = {
    "channel_chat_created",
    "delete_chat_photo",
    "group_chat_created",
    "left_chat_member",
    "message_auto_delete_timer_changed",
    "migrate_from_chat_id",
    "migrate_to_chat_id",
    "new_chat_members",
    "new_chat_photo",
    "new_chat_title",
    "pinned_message",
    "supergroup_chat_created",
    "video_chat_ended",
    "video_chat_scheduled",
    "video_chat_started",
}


def check(connection: Connection) -> datetime:
    """Find the channel; return the moment by Telegram's clock. Errors are those of `pull`."""
    moment = telegram_bot.check(connection)
    with in_turn(connection, bot_for(connection)) as ask:
        _channel_id(connection, ask)
    return moment


def pull(connection: Connection) -> Iterator[Answer]:
    """Ask for the updates that wait, a page an answer; land each one before taking the next.

    The channel is the connection's extra field `chat`: @name or id. Raise CredentialsError for a token that Telegram
    refuses, and SourceError where there is no such channel, no answer, or another reader of the same bot.
    """
    with in_turn(connection, bot_for(connection)) as ask:
        asked: dict[str, Any] = {"method": "getUpdates", "chat_id": _channel_id(connection, ask)}
        while True:
            response = _updates(connection, ask, asked.get("offset"), AT_ONCE)
            updates = parsed(response.text)["result"]
            if updates:
                yield Answer(asked, clock_of(response), body_of(response))
            last = _last_of(updates)
            if last is None or len(updates) < AT_ONCE:
                return
            asked = asked | {"offset": last + 1}


def confirm(connection: Connection, answers: Iterable[Answer]) -> None:
    """Let Telegram forget the updates in the answers, which have landed."""
    said = (parsed(answer.body) for answer in answers)
    ids = [last for each in said if isinstance(each, dict) and (last := _last_of(each.get("result"))) is not None]
    if ids:
        with in_turn(connection, bot_for(connection)) as ask:
            _updates(connection, ask, max(ids) + 1, 1)


def _updates(connection: Connection, ask: Ask, offset: int | None, limit: int) -> httpx.Response:
    parameters = {"limit": limit, "timeout": 0, "allowed_updates": json.dumps(_POSTS)}
    if offset is not None:
        parameters["offset"] = offset
    path = method_path(connection, "getUpdates")
    return ask("GET", path, lambda answer: _judge(connection, answer), params=parameters)


def _judge(connection: Connection, response: httpx.Response) -> None:
    judge_token(connection, response)
    said = parsed(response.text)
    code, description = refusal(said)
    if code == httpx.codes.CONFLICT:
        raise SourceError(
            f"Connection {connection.name}: something else reads the updates of this bot ({description}). "
            "Stop the other reader, or remove its webhook with deleteWebhook"
        )
    if code is not None:
        raise SourceError(f"Connection {connection.name}: Telegram refuses getUpdates: {code} {description}")
    # The next page needs this one's ids: what cannot be read is not taken, and waits there.
    if not isinstance(said, dict) or not isinstance(said.get("result"), list):
        raise TryAgain("the answer is not Telegram's")


def _channel_id(connection: Connection, ask: Ask) -> int:
    """Return the channel's id, by which its posts are known whatever its name becomes."""
    chat = connection.extra.get("chat", "").strip()
    if not chat:
        raise SourceError(f"Connection {connection.name}: no extra field 'chat'; put the channel's @name or id there")
    path = method_path(connection, "getChat")
    response = ask("GET", path, lambda answer: judge_token(connection, answer), params={"chat_id": chat})
    said = parsed(response.text)
    result = said.get("result") if isinstance(said, dict) else None
    chat_id = result.get("id") if isinstance(result, dict) else None
    if type(chat_id) is not int:
        why = refusal(said)[1] or "no id in its answer"
        raise SourceError(
            f"Connection {connection.name}: Telegram does not show the bot the chat {chat}: {why}. "
            "Correct extra field 'chat', and make the bot an administrator of the channel"
        )
    return chat_id


def _last_of(updates: Any) -> int | None:
    known = [update.get("update_id") for update in updates if isinstance(update, dict)] if updates else []
    return max((number for number in known if type(number) is int), default=None)


def read(answers: Iterable[Answer]) -> Iterator[Records]:
    """Read the channel's posts; an edit is a later version of its post.

    Updates of other kinds, posts of other chats and Telegram's own notes in the channel are no messages to it.
    """
    rows = [record for answer in answers for record in _records(answer)]
    if rows:
        yield Records("incident", KIND, rows)


def _records(answer: Answer) -> Iterator[Record]:
    said = parsed(answer.body)
    updates = said.get("result") if isinstance(said, dict) else None
    if not isinstance(updates, list):
        yield unreadable("ответ Telegram не содержит списка обновлений", answer.body)
        return
    for update in updates:
        record = _record(update, answer.asked["chat_id"])
        if record:
            yield record


def _record(update: Any, chat_id: int) -> Record | None:
    if not isinstance(update, dict):
        return unreadable("обновление Telegram не является объектом", update)
    kind = next((kind for kind in _POSTS if kind in update), None)
    if kind is None:
        return None if _ASIDE & update.keys() else unreadable("обновление Telegram без сообщения", update)
    post = update[kind]
    chat = post.get("chat") if isinstance(post, dict) else None
    if not isinstance(chat, dict) or type(chat.get("id")) is not int:
        return unreadable("в сообщении Telegram не указан чат", update)
    if chat["id"] != chat_id or _SERVICE & post.keys():
        return None
    return Record(_values(post, chat), update)


def _values(post: Mapping[str, Any], chat: Mapping[str, Any]) -> dict[str, str | None]:
    number, author = post.get("message_id"), post.get("from")
    message_id = f"{chat['id']}/{number}" if type(number) is int else None
    is_public = message_id and isinstance(chat.get("username"), str)
    received_at = moment_of(post.get("date"))
    return {
        "message_id": message_id,
        "incident_id": message_id,
        "channel": "telegram_channel",
        "status": "new",
        "received_at": received_at,
        "updated_at": moment_of(post.get("edit_date")) or received_at,
        "message_text": as_text(post.get("text")) or as_text(post.get("caption")),
        "message_url": as_text(f"https://t.me/{chat['username']}/{number}") if is_public else None,
        "author_name": as_text(post.get("author_signature")) or _name(author),
        "author_id": as_text(author.get("id")) if isinstance(author, dict) else None,
    }


def _name(author: Any) -> str | None:
    if not isinstance(author, dict):
        return as_text(author)
    parts = (as_text(author.get("first_name")), as_text(author.get("last_name")))
    return " ".join(part for part in parts if part) or None

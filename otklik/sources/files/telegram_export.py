"""One chat exported by Telegram Desktop (`result.json`): the same messages, under the same ids, as the bot hears of."""

import json
from collections.abc import Mapping
from typing import Any

from otklik.errors import FileError
from otklik.sources.incident_records import as_text, moment_of, unreadable
from otklik.sources.records import Record, Records

KIND = "telegram.export_message"

_CHANNEL_OR_SUPERGROUP = ("channel", "supergroup")


def read_export(body: bytes, name: str, public_name: str | None = None) -> Records:
    """Read the messages of an export; `name` is the file's, for errors.

    An export does not hold the channel's public name: with `public_name` (without @) messages get the link that the
    bot's have. Service messages are left aside. Raise FileError for what is not the export of one chat.
    """
    try:
        export = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise FileError(f"{name}: not JSON, or cut off; export the chat again as machine-readable JSON") from None
    if isinstance(export, dict) and "chats" in export:
        raise FileError(f"{name}: an export of the whole account; export the one channel from its own menu")
    if (
        not isinstance(export, dict)
        or not isinstance(export.get("messages"), list)
        or type(export.get("id")) is not int
    ):
        raise FileError(f"{name}: not the export of a chat (id and messages are missing); export it again as JSON")
    chat_id = _bot_id(export)
    rows = [_record(message, chat_id, public_name) for message in export["messages"] if not _is_service(message)]
    return Records("incident", KIND, rows)


def _bot_id(export: Mapping[str, Any]) -> int:
    """Return the chat's id as the Bot API writes it; the export has it bare."""
    kind = str(export.get("type"))
    if kind.endswith(_CHANNEL_OR_SUPERGROUP):
        return int(f"-100{export['id']}") if export["id"] > 0 else int(export["id"])
    return -abs(export["id"]) if kind.endswith("group") else int(export["id"])


def _is_service(message: Any) -> bool:
    return isinstance(message, dict) and message.get("type") == "service"


def _record(message: Any, chat_id: int, public_name: str | None) -> Record:
    if not isinstance(message, dict):
        return unreadable("сообщение выгрузки Telegram не является объектом", message)
    if message.get("type") != "message":
        return unreadable("неизвестный вид сообщения в выгрузке Telegram", message)
    number = message.get("id")
    message_id = f"{chat_id}/{number}" if type(number) is int else None
    # Old versions of Telegram Desktop write local time alone, without its zone: it stays as it is, to be refused.
    received_at = moment_of(message.get("date_unixtime")) or as_text(message.get("date"))
    values = {
        "message_id": message_id,
        "incident_id": message_id,
        "channel": "telegram_channel",
        "status": "new",
        "received_at": received_at,
        "updated_at": moment_of(message.get("edited_unixtime")) or as_text(message.get("edited")) or received_at,
        "message_text": _text(message.get("text")),
        "message_url": f"https://t.me/{public_name}/{number}" if public_name and message_id else None,
        **_author(message),
    }
    return Record(values, message)


def _author(message: Mapping[str, Any]) -> dict[str, str | None]:
    """Return who wrote: a signature, or a person; a channel that speaks for itself is nobody."""
    from_id, signature = message.get("from_id"), as_text(message.get("author"))
    if isinstance(from_id, str) and from_id.startswith("user"):
        return {"author_name": signature or as_text(message.get("from")), "author_id": from_id.removeprefix("user")}
    return {"author_name": signature, "author_id": None}


def _text(text: Any) -> str | None:
    """Return the plain text of a message, which is told whole or as pieces with their formatting."""
    if not isinstance(text, list):
        return as_text(text)
    pieces = (piece.get("text") if isinstance(piece, dict) and "text" in piece else piece for piece in text)
    return "".join(as_text(piece) or "" for piece in pieces) or None

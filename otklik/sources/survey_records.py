"""What all survey systems share: the four kinds of records a survey is read into, and how values become text."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html.parser import HTMLParser
from typing import Any

from otklik.contracts.entities import ENTITIES
from otklik.sources.records import Answer, Listing, Record, Records

_READ = ("survey_question", "survey_option", "survey_response", "survey_answer")
UNTOLD = "und"
"""The language of texts whose source does not tell it (ISO 639: undetermined)."""
_SHOWN = 2_000


@dataclass(frozen=True)
class Said:
    """One thing said in a response: an option chosen, a number or a text; `problem` where it cannot be understood."""

    question: str
    row: str | None = None
    option: str | None = None
    number: str | None = None
    text: str | None = None
    problem: str | None = None


class Gathered:
    """Records of one survey as they are read; `system` names the kinds of their originals."""

    def __init__(self, system: str, survey_id: str | None) -> None:
        self._system = system
        self._survey_id = survey_id
        self._rows: dict[str, list[Record]] = {entity: [] for entity in _READ}

    def add(self, entity: str, original: Mapping[str, Any], **values: Any) -> None:
        """Add a record; values that are not text become text."""
        self._rows[entity].append(Record(self._texts(entity, values), original))

    def refuse(self, entity: str, original: Mapping[str, Any], problem: str, **values: Any) -> None:
        """Add a record of which nothing more than `values` could be read, and say why in Russian."""
        self._rows[entity].append(Record(self._texts(entity, values), original, problem))

    def _texts(self, entity: str, values: Mapping[str, Any]) -> dict[str, str | None]:
        told = {name: as_text(value) for name, value in values.items()}
        return {**dict.fromkeys(ENTITIES[entity].fields), "survey_id": self._survey_id, **told}

    def add_answer(self, response_id: Any, updated_at: Any, said: Said, original: Mapping[str, Any]) -> None:
        """Add the record of one thing said in a response."""
        place = {"response_id": response_id, "question_code": said.question, "subquestion_code": said.row}
        if said.problem:
            self.refuse("survey_answer", original, said.problem, **place)
        else:
            given = {"option_code": said.option, "number": said.number, "text": said.text}
            self.add("survey_answer", original, **place, **given, updated_at=updated_at)

    def records(self) -> Iterator[Records]:
        """Return what there is, one entity after the other."""
        for entity, rows in self._rows.items():
            if rows:
                yield Records(entity, f"{self._system}.{entity.removeprefix('survey_')}", rows)

    def listings(self, ids: Iterable[Any]) -> Iterator[Listing]:
        """Return all responses the survey has, by their ids; nothing where the survey itself is not known."""
        if self._survey_id is None:
            return
        keys = frozenset(text for key in ids if (text := as_text(key)) is not None)
        scope = {"survey_id": self._survey_id}
        yield Listing("survey_response", scope, "response_id", keys)
        # Who takes back every answer leaves nothing that could tell of it.
        silent = self._responses("survey_response") - self._responses("survey_answer")
        yield Listing("survey_answer", scope, "response_id", keys.difference(silent))

    def _responses(self, entity: str) -> set[str | None]:
        return {record.values["response_id"] for record in self._rows[entity]}


def by_survey(answers: Iterable[Answer]) -> dict[str | None, list[Answer]]:
    """Sort answers that have a body by the survey they are about, in the order in which they came."""
    surveys: dict[str | None, list[Answer]] = {}
    for answer in answers:
        if answer.body is not None:
            surveys.setdefault(as_text(answer.asked.get("survey_id")), []).append(answer)
    return surveys


def as_text(value: Any) -> str | None:
    """Return a value as the text of a record: empty is None, numbers in digits, anything else as JSON.

    Half of a surrogate pair, which JSON allows and no database takes, is shown as \\uNNNN.
    """
    if value is None or value == "":
        return None
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = "…"
    return text.encode("utf-8", "backslashreplace").decode()


def as_json(body: str | None) -> Any:
    """Return the JSON of a body; None where it is not JSON."""
    try:
        return json.loads(body or "")
    except (ValueError, RecursionError):
        return None


def shown(value: Any) -> dict[str, Any]:
    """Return what cannot be read in a form that can be kept with a refused record, cut to a readable length."""
    return {"body": (as_text(value) or "")[:_SHOWN]}


def moment(value: Any, zone: tzinfo) -> str | None:
    """Return a source's time as ISO 8601 with an offset; one told without an offset is a time of `zone`."""
    text = as_text(value)
    try:
        told = datetime.fromisoformat(text or "")
    except ValueError:
        return text
    return (told if told.tzinfo else told.replace(tzinfo=zone)).isoformat()


def plain(html: Any) -> str | None:
    """Return the words of a text that may be HTML, in one line; None where there are none."""
    text = as_text(html)
    if text is None or not ("<" in text or "&" in text):
        return " ".join((text or "").split()) or None
    words = _Words()
    words.feed(text)
    words.close()
    return " ".join("".join(words.parts).split()) or None


class _Words(HTMLParser):
    """Keeps what a reader of a page sees."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in ("style", "script")
        if tag in ("br", "p", "div", "li"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in ("style", "script")))

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)

"""What every source gives: answers as they came (they land), and the records read out of them (they load)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True)
class Answer:
    """One answer of an outside system, unchanged, and the question it answers.

    `asked` holds what is needed to understand the answer later (method, ids of our registry), never a secret.
    `answered_at` is the moment by the system's own clock. `body` is the answer's text as it came, or None where
    none came; `trouble` then says why, in a word of the source's own.
    """

    asked: Mapping[str, Any]
    answered_at: datetime
    body: str | None
    trouble: str | None = None

    def as_line(self) -> str:
        """Return the answer as one line of JSON, as it is kept in the landing zone."""
        return json.dumps(asdict(self) | {"answered_at": self.answered_at.isoformat()}, ensure_ascii=False)

    @classmethod
    def of_line(cls, line: str) -> Self:
        """Return the answer that `as_line` wrote."""
        values = json.loads(line)
        return cls(**values | {"answered_at": datetime.fromisoformat(values["answered_at"])})


@dataclass(frozen=True)
class Record:
    """One record read out of an answer.

    `values`: field of the contract -> text, or None where unknown. Moments are ISO 8601 with an offset, days
    yyyy-mm-dd, flags true or false, numbers in digits; anything else a system may say goes in as it is and is
    refused by the contract with its reason. `original` is what the system said, kept with a refused record.
    `problem` says, in Russian, why nothing could be read at all; the record is then refused as «bad_answer».
    """

    values: Mapping[str, str | None]
    original: Mapping[str, Any]
    problem: str | None = None


@dataclass(frozen=True)
class Records:
    """Records of one entity (a name of `otklik.contracts.entities.ENTITIES`), in the order of the answers.

    `kind` names the system's object they were read out of, such as `vk.page`: the fields of their originals are
    watched under this name, and one that appears, vanishes or changes its type is reported.
    """

    entity: str
    kind: str
    rows: list[Record]


@dataclass(frozen=True)
class Listing:
    """Everything of an entity that a source has now within a scope; what we know beyond it has been deleted there.

    `scope`: field -> value, such as {"survey_id": "2022-school-meals"}; `keys`: values of field `key`.
    """

    entity: str
    scope: Mapping[str, str]
    key: str
    keys: frozenset[str]

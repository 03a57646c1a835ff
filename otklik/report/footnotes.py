"""Footnotes: what a number is, how it was asked, as of when, and whether the checks behind it were passed."""

import re
from dataclasses import dataclass

from markupsafe import Markup

from otklik.report.checks import Verdict
from otklik.report.russian import counted, form

MARK = "⚠"
"""Stands after a number in a draft whose checks failed."""

# What means something in Markdown.
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!<>|~^$@\"':=&])")


def plain(text: object) -> Markup:
    """Return text as Markdown that shows it as it is; what is Markdown already stays."""
    if isinstance(text, Markup):
        return text
    return Markup(_MARKUP.sub(r"\\\1", str(text).replace("\n", " ")))  # noqa: S704 - what is left is text


@dataclass(frozen=True)
class Note:
    """One footnote: of one number, or of all numbers of a row, a column or a chart that one query gave."""

    name: str
    label: str
    explanation: str
    query: str
    verdict: Verdict

    def markdown(self, as_of: str) -> str:
        """Return its text."""
        return (
            f"**{plain(self.label)}** ({plain(self.name)}). {plain(self.explanation)}"
            f" Запрос: `{self.query}`. Данные на {plain(as_of)}. {plain(_said(self.verdict))}"
        )


class Notes:
    """The footnotes of one document, numbered as they are first referred to."""

    def __init__(self, as_of: str, *, links: bool) -> None:
        self._as_of, self._links = as_of, links
        self._numbers: dict[Note, int] = {}

    def __call__(self, note: Note) -> Markup:
        """Return the reference to a footnote: the first one makes it, others name its number."""
        mark = "" if note.verdict.holds else MARK
        if note not in self._numbers:
            self._numbers[note] = len(self._numbers) + 1
            return Markup(f"{mark}[^{self._numbers[note]}]")  # noqa: S704 - numbers of ours
        number = self._numbers[note]
        return Markup(f"{mark}^[{number}](#fn{number})^" if self._links else f"{mark}^{number}^")  # noqa: S704

    def written(self) -> Markup:
        """Return the footnotes themselves, as they end the document."""
        notes = (f"[^{number}]: {note.markdown(self._as_of)}\n" for note, number in self._numbers.items())
        return Markup("\n".join(notes))  # noqa: S704 - Note escapes what is not ours


def _said(verdict: Verdict) -> str:
    if not verdict.were_run:
        return "Проверки не проводились."
    if verdict.failed:
        return f"НЕ ПРОЙДЕНЫ ПРОВЕРКИ: {'; '.join(map(str, verdict.failed))}."
    count = len(verdict.checks)
    if verdict.warned:
        held = count - len(verdict.warned)
        return f"Проверок пройдено {held} из {count}, замечания: {'; '.join(map(str, verdict.warned))}."
    if not count:
        return "Проверок для него нет."
    passed = form(count, "Пройдена", "Пройдены", "Пройдено")
    return f"{passed} {counted(count, 'проверка', 'проверки', 'проверок')}, замечаний нет."

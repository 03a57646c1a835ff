"""The pages that explain what people see: documents of two readers, and every metric with its definition.

Superset serves them (`superset/help_pages.py`) so that a reader needs one address and one login.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token

from otklik.dashboards.explained import anchor
from otklik.dashboards.metric_pages import groups
from otklik.settings import PROJECT

DOCUMENTS = ("leadership", "auditors")
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True)
class Document:
    """A page made of Markdown: its title, the headings to jump to, and the rest of it as HTML."""

    title: str
    headings: tuple[str, ...]
    html: str


def write_help(folder: Path) -> None:
    """Write leadership.html, auditors.html and metrics.html into `folder`, which is made if absent."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in DOCUMENTS:
        document = read_document((PROJECT / "docs" / f"{name}.md").read_text(encoding="utf-8"))
        _write(folder, name, "document.html.j2", document=document)
    _write(folder, "metrics", "metrics.html.j2", groups=groups())


def read_document(text: str) -> Document:
    """Return a document of Markdown whose first line is its title; links between documents lead to pages of help."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    headings = {tokens[at + 1].content: token for at, token in enumerate(tokens) if token.type == "heading_open"}
    for heading, token in headings.items():
        token.attrSet("id", anchor(heading))
    for token in tokens:
        token.children = token.children and list(_leading_to_help(token.children))
    title, *_ = headings
    return Document(
        title=title,
        headings=tuple(heading for heading, token in headings.items() if token.tag == "h2"),
        html=markdown.renderer.render(tokens[3:], markdown.options, {}),
    )


def _leading_to_help(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens of a line; links to other documents lead to their pages, and are plain words where there is none."""
    is_dropped = False
    for token in tokens:
        if token.type == "link_open" and (page := re.fullmatch(r"([\w/]+)\.md(#.*)?", str(token.attrGet("href")))):
            is_dropped = page[1] not in DOCUMENTS
            token.attrSet("href", f"/help/{page[1]}{page[2] or ''}")
        if not (is_dropped and token.type in ("link_open", "link_close")):
            yield token
        is_dropped = is_dropped and token.type != "link_close"


def _write(folder: Path, name: str, template: str, **shown: object) -> None:
    page = _TEMPLATES.get_template(template).render(name=name, anchor=anchor, **shown)
    (folder / f"{name}.html").write_text(page, encoding="utf-8")

"""A report as files: one text in Markdown, from which pandoc makes a page and a Word document."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pypandoc
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from otklik.report import phrases, russian
from otklik.report.charts import Chart
from otklik.report.document import Change, Report
from otklik.report.footnotes import MARK, Notes, plain
from otklik.report.sections import Contribution, Topic, ranking_minimum

# Numbers and names are escaped; what is left of pandoc's Markdown is what the template uses.
_MARKDOWN = "markdown-smart-raw_html-raw_tex-tex_math_dollars-citations-inline_notes-implicit_figures"
_TEMPLATES = FileSystemLoader(Path(__file__).parent)
_SHOWN = 10
_CONTRIBUTORS_NAMED = 3
NETWORKS = {"all": "Все сети", "vk": "ВКонтакте", "ok": "Одноклассники", "telegram": "Телеграм", "max": "MAX"}


def write_html(report: Report, file: Path) -> None:
    """Write the page: nothing in it asks for another file or address."""
    text = _markdown(report, lambda chart: chart.vector, links=True)
    body = pypandoc.convert_text(
        text, "html5", format=_MARKDOWN, extra_args=["--shift-heading-level-by=1", "--wrap=none"]
    )
    page = Environment(loader=_TEMPLATES, autoescape=True).get_template("page.html.j2")
    file.write_text(page.render(title=plain_title(report), body=Markup(body)), encoding="utf-8")  # noqa: S704


def write_docx(report: Report, file: Path) -> None:
    """Write the Word document: footnotes are Word's own."""
    text = _markdown(report, lambda chart: chart.pixels, links=False)
    metadata = [f"--metadata=title:{plain_title(report)}", "--metadata=lang:ru-RU"]
    pypandoc.convert_text(text, "docx", format=_MARKDOWN, outputfile=str(file), extra_args=metadata)


def plain_title(report: Report) -> str:
    """«Итоги 2022 года», «Итоги декабря 2022 года — черновик»."""
    return f"Итоги {report.period.of}" + ("" if report.holds else " — черновик")


def _markdown(report: Report, picture: Callable[[Chart], str], *, links: bool) -> str:
    notes = Notes(report.as_of, links=links)
    template = _environment().get_template("report.md.j2")
    return template.render(
        report=report,
        note=notes,
        written=notes.written,
        picture=lambda chart, alt: Markup(f"![{plain(alt)}]({picture(chart)}){{width=100%}}"),  # noqa: S704
        mark=MARK,
        shown_rows=_SHOWN,
        ranking_minimum=ranking_minimum(),
        networks=NETWORKS,
        lowered=lambda change: _contributors(change, -1),
        raised=lambda change: _contributors(change, 1),
        growing=_growing,
        said=phrases.compared,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=_TEMPLATES,
        undefined=StrictUndefined,
        autoescape=True,
        # What is put into the text is text, unless it says that it is Markdown.
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": russian.number,
        "share": russian.share,
        "duration": russian.duration,
        "minutes": russian.minutes,
        "day": russian.day,
        "counted": russian.counted,
        "form": russian.form,
    }
    environment.globals |= {"shown": phrases.shown, "delta": phrases.delta}
    return environment


def _contributors(change: Change, sign: int) -> Sequence[Contribution]:
    """Who changed the mean most that way, of those of whom it is known from what to what."""
    return [
        one
        for one in change.by_authority.rows
        if one.change_minutes * sign > 0 and one.member and None not in (one.mean_minutes, one.mean_minutes_before)
    ][:_CONTRIBUTORS_NAMED]


def _growing(topics: Sequence[Topic]) -> Topic | None:
    """The topic of which there is more than before by most; None where none grew."""
    named = [topic for topic in topics if topic.topic and topic.message_count > topic.before_count]
    return max(named, key=lambda topic: topic.message_count - topic.before_count, default=None)

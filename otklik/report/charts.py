"""Charts as pictures: vector for the page, pixels for the document. Nothing is asked of the network."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from textwrap import fill
from typing import Any

import altair
import vl_convert

# Okabe and Ito's colours: told apart by the colour-blind, and by their lightness on a grey print.
BLUE, ORANGE = "#0072b2", "#e69f00"

_WIDTH, _HEIGHT, _PIXELS = 680, 230, 2
# Room for names, and how many letters of one stand in a line: any font has room for them.
_NAMES, _NAME_LINE = 290, 36
_CONFIG: dict[str, Any] = {
    "font": "Arial, Liberation Sans, sans-serif",
    "background": "white",
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": "#374151"}
    | {"titleColor": "#374151", "gridColor": "#e5e7eb", "domainColor": "#9ca3af", "tickColor": "#9ca3af"},
    "legend": {"labelFontSize": 12, "orient": "top", "title": None, "columnPadding": 24},
    "view": {"stroke": None},
}


@dataclass(frozen=True)
class Chart:
    """A picture in both of its forms."""

    svg: str
    png: bytes

    @property
    def vector(self) -> str:
        """As an address that holds the picture itself."""
        return f"data:image/svg+xml;base64,{b64encode(self.svg.encode()).decode()}"

    @property
    def pixels(self) -> str:
        """As an address that holds the picture itself."""
        return f"data:image/png;base64,{b64encode(self.png).decode()}"


@dataclass(frozen=True)
class Series:
    """Numbers one after the other, each at its tick; None where it is not known."""

    name: str
    values: Sequence[Decimal | None]


@dataclass(frozen=True)
class Axis:
    """How values are drawn: what was counted as `bars`, a state as a line; digits are those after the comma."""

    title: str
    bars: bool = False
    digits: int = 0
    from_zero: bool = True


def over_time(ticks: Sequence[str], now: Series, before: Series, axis: Axis) -> Chart:
    """Draw one series; what it is compared with is always a dashed line."""
    names, rows = [now.name, before.name], []
    for series in (now, before):
        told = zip(ticks, series.values, strict=False)
        rows += [{"tick": tick, "value": _plot(value), "series": series.name} for tick, value in told]
    base = altair.Chart(altair.InlineData(values=rows)).encode(
        x=altair.X(
            "tick:N",
            sort=list(ticks),
            title=None,
            scale=altair.Scale(paddingInner=0.35) if axis.bars else altair.Undefined,
            axis=altair.Axis(labelAngle=0, ticks=False),
        ),
        y=altair.Y(
            "value:Q",
            title=axis.title,
            scale=altair.Scale(zero=axis.from_zero),
            axis=altair.Axis(format=f",.{axis.digits}f", tickCount=6, domain=False, ticks=False),
        ),
        color=altair.Color("series:N", scale=altair.Scale(domain=names, range=[BLUE, ORANGE])),
    )
    is_now = altair.datum.series == now.name
    mark = base.mark_bar() if axis.bars else base.mark_line(point={"size": 45}, strokeWidth=2.5)
    dashed = base.mark_line(point={"size": 25}, strokeDash=[5, 3])
    return _drawn(altair.layer(mark.transform_filter(is_now), dashed.transform_filter(~is_now)))


def contributions(values: Mapping[str, Decimal], title: str) -> Chart:
    """Draw what each added to a change, or took from it, as bars to both sides of nothing."""
    rows = [{"name": fill(name, _NAME_LINE), "value": _plot(value)} for name, value in values.items()]
    chart = (
        altair.Chart(altair.InlineData(values=rows))
        .mark_bar()
        .encode(
            x=altair.X("value:Q", title=title, axis=altair.Axis(format=",.1f", tickCount=5, domain=False, ticks=False)),
            y=altair.Y(
                "name:N",
                sort=[fill(name, _NAME_LINE) for name in values],
                title=None,
                axis=altair.Axis(
                    labelExpr="split(datum.label, '\\n')", labelLimit=_NAMES, minExtent=_NAMES, ticks=False
                ),
            ),
            color=altair.condition(altair.datum.value < 0, altair.value(BLUE), altair.value(ORANGE)),
        )
    )
    return _drawn(chart, width=_WIDTH - _NAMES, height=34 * len(rows))


def _drawn(chart: Any, width: int = _WIDTH, height: int = _HEIGHT) -> Chart:
    spec = chart.properties(width=width, height=height).to_dict() | {"config": _CONFIG}
    locale: dict[str, Any] = {"format_locale": "ru-RU", "allowed_base_urls": []}
    svg = vl_convert.vegalite_to_svg(spec, **locale)
    return Chart(svg, vl_convert.vegalite_to_png(spec, scale=_PIXELS, **locale))


def _plot(value: Decimal | None) -> float | None:
    return None if value is None else float(value)

"""The page's plots, as SVG inside the page. Colours are the page's own, so that both follow light and dark."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import pygal
from pygal.style import Style

from report.model import Result

# The default of `threshold` in router_families: results do not say what a family has instead.
DEFAULT_THRESHOLD = 50
_INK, _PALE = "var(--ink)", "var(--line)"
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground=_INK,
    foreground_strong=_INK,
    foreground_subtle=_PALE,
    guide_stroke_color=_PALE,
    major_guide_stroke_color=_PALE,
    font_family="inherit",
    colors=("var(--blue)", "var(--orange)", "var(--green)", "var(--purple)", "var(--purple)"),
    opacity=".85",
    opacity_hover="1",
    transition="0s",
)
# js=[]: by default the plot would fetch a script from the network.
COMMON = {
    "style": _STYLE,
    "js": [],
    "height": 280,
    "width": 640,
    "legend_at_bottom": True,
    "disable_xml_declaration": True,
    "pretty_print": False,
}


def score_chart(routed: Sequence[Result]) -> str:
    """Return the scores of the routed requests by virtual model, and the threshold; "" without any."""
    models = list(dict.fromkeys(result.virtual_model for result in routed))
    points: dict[str, list[tuple[float, float]]] = {model: [] for model in models}
    for result in routed:
        score = _number(result.score)
        if score is not None:
            points[result.virtual_model].append((score, models.index(result.virtual_model) + 1.0))
    if not any(points.values()):
        return ""
    chart = pygal.XY(stroke=False, xrange=(0, 100), range=(0.5, len(models) + 0.5), dots_size=5, **COMMON)
    chart.x_title, chart.show_y_labels = "complexity", False
    chart.x_labels = list(range(0, 101, 10))
    for model, found in points.items():
        chart.add(model, found)
    line = [(float(DEFAULT_THRESHOLD), 0.5), (float(DEFAULT_THRESHOLD), len(models) + 0.5)]
    dashed = {"width": 2, "dasharray": "6,4"}
    chart.add(f"threshold {DEFAULT_THRESHOLD} (default)", line, stroke=True, show_dots=False, stroke_style=dashed)
    return str(chart.render(is_unicode=True))


def latency_chart(routed: Sequence[Result]) -> str:
    """Return the median milliseconds of the routed requests by pool and API; "" without any."""
    pools = list(dict.fromkeys(result.pool for result in routed if result.pool))
    if not pools:
        return ""
    chart = pygal.HorizontalBar(**{**COMMON, "height": 120 + 50 * len(pools)})
    chart.x_title = "milliseconds, median"
    chart.x_labels = pools
    for api in dict.fromkeys(result.api for result in routed):
        chart.add(api, [_median(routed, pool, api) for pool in pools])
    return str(chart.render(is_unicode=True))


def _median(routed: Sequence[Result], pool: str, api: str) -> float | None:
    times = [result.milliseconds for result in routed if (result.pool, result.api) == (pool, api)]
    return statistics.median(times) if times else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

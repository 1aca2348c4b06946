"""The routing page's plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pygal
from vibe.learning.fit import Point

from report.charts import COMMON
from report.routing import Bin


def won_chart(curve: Sequence[Point]) -> str:
    """Return what each strong share wins of the strong pool's advantage, with its interval; "" without any."""
    if not curve:
        return ""
    chart = pygal.XY(xrange=(0, 100), dots_size=3, **COMMON)
    chart.x_title, chart.y_title = "% of the prompts on the strong pool", "% of its advantage won"
    chart.x_labels = list(range(0, 101, 10))
    thin = {"width": 1, "dasharray": "4,4"}
    chart.add("with adapter", [(100 * point.share, 100 * point.adapter) for point in curve])
    chart.add("shipped weights", [(100 * point.share, 100 * point.prior) for point in curve])
    chart.add("chance", [(0, 0), (100, 100)], show_dots=False, stroke_style=thin)
    for name, ends in (("interval, low", "low"), ("interval, high", "high")):
        points = [(100 * point.share, 100 * getattr(point, ends)) for point in curve]
        chart.add(name, points, show_dots=False, stroke_style=thin)
    return str(chart.render(is_unicode=True))


def calibration_chart(scorers: Mapping[str, Sequence[Bin]]) -> str:
    """Return the cheap pool's mean quality by score, for each of the *scorers*; "" without any."""
    if not any(scorers.values()):
        return ""
    chart = pygal.XY(range=(0, 1), dots_size=4, **COMMON)
    chart.x_title, chart.y_title = "score", "quality of the cheap pool"
    for name, bins in scorers.items():
        chart.add(name, [(round(one.score, 1), round(one.quality, 3)) for one in bins])
    return str(chart.render(is_unicode=True))

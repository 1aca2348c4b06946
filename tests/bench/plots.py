"""Plots of the benchmarks, each a file of its own, shown in docs/benchmarks.md: on white, without a script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pygal
from pygal.style import Style

_STYLE = Style(
    background="white",
    plot_background="white",
    colors=("#2563eb", "#d97706", "#059669", "#7c3aed"),
    font_family="system-ui, sans-serif",
    transition="0s",
)
# js=[]: by default the plot would fetch a script from the network.
_COMMON: Mapping[str, Any] = {"style": _STYLE, "js": [], "width": 720, "height": 320, "legend_at_bottom": True}
# Pixels that a bar of many wants, and the margin around them.
_BAR_HEIGHT, _MARGIN_HEIGHT = 22, 110


def _rendered(chart: pygal.graph.graph.Graph) -> str:
    # What pygal's script would read stays in the file even without the script.
    return re.sub(r"<script.*?</script>", "", chart.render(is_unicode=True), flags=re.DOTALL)


def bars(found: Mapping[str, Any]) -> str:
    """Return the medians of every comparison as bars, one group a comparison: `{name: {"UNIT ARM": median, …}}`."""
    groups = {name: row for name, row in found.items() if isinstance(row, Mapping) and "medians" in row}
    unit = next(str(row["unit"]) for row in groups.values())
    arms = dict.fromkeys(arm for row in groups.values() for arm in row["medians"])
    height = max(_COMMON["height"], _MARGIN_HEIGHT + _BAR_HEIGHT * len(groups) * len(arms))
    chart = pygal.HorizontalBar(**{**_COMMON, "height": height}, x_title=unit, print_values=True)
    chart.x_labels = list(groups)
    for arm in arms:
        chart.add(arm, [row["medians"].get(arm) for row in groups.values()])
    return _rendered(chart)


def crash(found: Mapping[str, Any]) -> str:
    """Return what each server lost when a worker was killed, of all that it was measured by."""
    return bars({"a worker killed": found["requests lost"]})


def memory(found: Mapping[str, Any]) -> str:
    """Return the samples of a long run as lines over its minutes."""
    samples = found["samples"]
    chart = pygal.XY(**_COMMON, x_title="minutes", y_title="MiB (PSS)", show_dots=False, include_x_axis=True)
    for what in [name for name in samples[0] if name != "minute"]:
        chart.add(what, [(row["minute"], row[what]) for row in samples])
    return _rendered(chart)

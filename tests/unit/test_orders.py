"""Rendered files do not depend on the order of a set, which differs from run to run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FOLDERS = ("inventory", "playbooks", "roles", "tests")
# Filters that convert their input to a set (ansible/plugins/filter/mathstuff.py).
SET_FILTER = re.compile(r"\| *(?:ansible\.builtin\.)?(?:difference|intersect|symmetric_difference|union)\(")
ORDER_IS_NO_MATTER = re.compile(r"\s*\| *(?:length|sort)\b")


def unordered(text: str) -> Iterator[str]:
    """Yield the uses of a set filter, to the end of its line, whose result is neither sorted nor counted at once."""
    for use in SET_FILTER.finditer(text):
        end, depth = use.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        if not ORDER_IS_NO_MATTER.match(text, end):
            yield text[use.start() :].partition("\n")[0]


def test_what_comes_out_of_a_set_is_sorted_or_counted() -> None:
    paths = [
        path for folder in FOLDERS for kind in ("*.yml", "*.j2") for path in sorted((PROJECT / folder).rglob(kind))
    ]
    assert len(paths) > 100
    found = [f"{path.relative_to(PROJECT)}: {use}" for path in paths for use in unordered(path.read_text("utf-8"))]
    assert found == [], "sort it, or keep the order of the list by select('in', …) or reject('in', …)"


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("{{ a | difference(b) }}", 1),
        ("{{ a | intersect(b | map('f')) | join(', ') }}", 1),
        ("{{ a | difference(b + (c if d else [])) | sort }}", 0),
        ("when: a | union(b) | length > 0", 0),
        ("{{ a | reject('in', b) }}", 0),
    ],
)
def test_the_search_sees_a_set_that_keeps_its_order(text: str, uses: int) -> None:
    assert len(list(unordered(text))) == uses

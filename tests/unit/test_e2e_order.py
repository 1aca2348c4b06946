"""Every file of the end-to-end tests is in the list of their order."""

from __future__ import annotations

from pathlib import Path

from e2e.order import ON_OTHER_HOSTS, ORDER

E2E = Path(__file__).resolve().parents[1] / "e2e"


def test_the_order_has_each_file_once() -> None:
    assert sorted(ORDER) == sorted(path.stem for path in E2E.glob("test_*.py"))
    assert set(ORDER) >= ON_OTHER_HOSTS

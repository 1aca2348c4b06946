"""Benchmarks by name: a missing requirement is reported with its fix; results are saved with the machine's data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import arms, run

COMPARED = arms.compared(["ours", "theirs"], {"ours": 3.0, "theirs": 2.0}.__getitem__, 5)


def test_every_benchmark_has_its_script() -> None:
    for name, bench in run.BENCHES.items():
        script = Path(run.__file__).parent / bench.script
        assert script.stat().st_mode & 0o100, f"{name}: {script} is not executable"


def test_without_a_name_the_benchmarks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main([]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in run.BENCHES)


def test_an_unknown_name_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["stak"]) == run.USAGE_ERROR
    told = capsys.readouterr().err
    assert "there is no benchmark stak" in told
    assert "stack" in told


def test_a_missing_tool_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert run.main(["stack"]) == run.USAGE_ERROR
    assert "needs ab, which this machine lacks: apt-get install apache2-utils" in capsys.readouterr().err


def test_a_missing_deployment_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "_SERVING", tmp_path / "serving")
    assert run.missing("endurance").endswith("this machine has none: ./deploy.sh")
    assert run.missing("decision") == ""


def test_two_arms_are_compared_pair_by_pair() -> None:
    assert COMPARED == {
        "unit": "requests/s",
        "medians": {"ours": 3.0, "theirs": 2.0},
        "ratio": 1.5,
        "quartiles": [1.5, 1.5],
        "difference": 1.0,
        "rounds": 5,
    }


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("stack", {"slot (workers x memory)": "2x1792m", "16 connections": COMPARED}),
        ("endurance", {"samples": [{"minute": 0.0, "slot": 900.0}, {"minute": 1.0, "slot": 910.0}]}),
    ],
)
def test_what_came_out_is_kept_with_its_plot(name: str, found: dict[str, object], tmp_path: Path) -> None:
    run.keep(name, {"bench": name, "machine": {"processors": 2}, "found": found}, tmp_path)
    assert json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["found"] == found
    plot = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    assert "<svg" in plot
    assert "<script" not in plot

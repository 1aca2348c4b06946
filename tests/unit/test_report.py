"""The report of a verification: every format has the same content, and unreadable results are reported."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import make_report
import pytest
from junitparser import JUnitXml
from report import model
from report.fleet import judge_fleet
from report.history import blames_release, compare, earlier
from report.junit import junit_xml
from report.model import FAILED, OK, SKIPPED, Report, Result, read_report
from report.page import page_html
from report.script import say
from report.terminal import terminal_text

SCHEMA = json.loads((Path(model.__file__).parent / "schema.json").read_text(encoding="utf-8"))


def _result(check: str, verdict: str = OK, host: str = "a", area: str = "containers", **more: Any) -> Result:
    failed = {"expected": "this", "found": "that", "hint": "some_variable"} if verdict == FAILED else {}
    return Result(host, area, check, verdict, 12, **{**failed, **more})


def _report(*results: Result, time: str = "2026-11-26T10:00:00Z") -> Report:
    return Report("lab", time, "0.2.0", "http://gateway:4000", list(results))


SOUND = _report(_result("One holds"), _result("Two holds", host="b"), _result("Three", SKIPPED, found="no such thing"))


def test_json_is_as_its_schema_says_and_is_read_back(tmp_path: Path) -> None:
    report = _report(_result("One holds"), _result("Two holds", FAILED))
    report.about["a"] = {"release": "0123456789ab"}
    jsonschema.validate(json.loads(report.to_json()), SCHEMA)
    (tmp_path / "report.json").write_text(report.to_json(), encoding="utf-8")
    assert read_report(tmp_path / "report.json") == report
    assert list(SCHEMA["properties"]["results"]["items"]["properties"]) == list(vars(report.results[0]))


@pytest.mark.parametrize(
    ("results", "verdict"),
    [([], FAILED), ([OK], OK), ([SKIPPED], FAILED), ([OK, SKIPPED], OK), ([OK, FAILED], FAILED)],
)
def test_verdict_is_good_only_if_something_was_checked_and_nothing_failed(results: list[str], verdict: str) -> None:
    assert _report(*(_result(f"Check {n}", each) for n, each in enumerate(results))).verdict == verdict


def test_a_junit_parser_reads_what_was_found(tmp_path: Path) -> None:
    odd = "an upstream's \x00 <b>answer</b> & more"
    report = _report(*SOUND.results, _result("Four", FAILED, found=odd))
    path = tmp_path / "junit.xml"
    path.write_text(junit_xml(report), encoding="utf-8")
    read = JUnitXml.fromfile(str(path))
    assert (read.tests, read.failures, read.skipped, read.errors) == (4, 1, 1, 0)
    cases = {case.name: case for suite in read for case in suite}
    assert set(cases) == {"One holds", "Two holds", "Three", "Four"}
    [failure] = cases["Four"].result
    assert failure.message == "expected this; found an upstream's \ufffd <b>answer</b> & more"
    assert "some_variable" in failure.text


def test_page_tells_every_failure_and_quotes_no_markup() -> None:
    report = _report(_result("One holds"), _result("Two", FAILED, found="<script>alert(1)</script>"))
    page = page_html(report, compare(report, []))
    assert "Failed:</span> 1 of 2 checks" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "some_variable" in page


def test_what_an_upstream_sent_acts_on_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "x\x1b[2J\x1b]0;title\x07\u202eabc\r[bold]"
    report = _report(_result("Two", FAILED, found=hostile, hint=hostile))
    say("ERROR", hostile)
    shown = terminal_text(report, compare(report, []), colour=False) + capsys.readouterr().err
    assert all(one.isprintable() or one == "\n" for one in shown)
    assert shown.count("\\x1b[2J") == 3
    assert "[bold]" in shown


def test_what_got_worse_and_since_when() -> None:
    runs = [
        _report(_result("One"), _result("Two", FAILED), _result("Three", FAILED), time="2026-11-24T10:00:00Z"),
        _report(_result("One"), _result("Two", FAILED), _result("Three"), time="2026-11-25T10:00:00Z"),
    ]
    now = _report(_result("One", FAILED), _result("Two", FAILED), _result("Four"))
    change = compare(now, runs)
    assert [result.check for result in change.worse] == ["One"]
    assert [result.check for result in change.new] == ["Four"]
    assert [result.check for result in change.gone] == ["Three"]
    since = {key[-1]: when for key, when in change.since.items()}
    assert since == {"One": "2026-11-26T10:00:00Z", "Two": "2026-11-24T10:00:00Z"}


def test_another_release_is_a_change() -> None:
    before, now = _report(_result("One")), _report(_result("One"))
    before.about, now.about = {"a": {"release": "old"}}, {"a": {"release": "new"}, "b": {}}
    assert compare(now, [before]).runs == ["a: release old → new", "b: is new"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The folder with the results of two hosts, and the folder of the report."""
    results = tmp_path / "results"
    results.mkdir()
    for host in ("a", "b"):
        rows = [vars(_result("One holds", host=host))]
        (results / f"{host}.json").write_text(json.dumps({"host": host, "results": rows}), encoding="utf-8")
    return results, tmp_path / "verify"


def _make(folders: tuple[Path, Path], *more: str) -> int:
    results, folder = folders
    return make_report.main(
        ["--environment", "lab", "--results", str(results), "--folder", str(folder), "--hosts", '["a", "b"]', *more]
    )


def test_script_writes_every_face(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert _make(folders) == 0
    names = {path.name for path in folders[1].iterdir()}
    assert names == {"report.json", "report.html", "junit.xml", "index.html", "history"}
    assert "2 passed, 0 failed, 0 skipped" in capsys.readouterr().out


def test_a_host_without_results_is_red(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    (folders[0] / "b.json").unlink()
    assert _make(folders) == 1
    assert "b, answers: Host answers" in capsys.readouterr().out


def test_two_releases_in_one_fleet_are_red(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    for host, release in (("a", "old"), ("b", "new")):
        path = folders[0] / f"{host}.json"
        document = {**json.loads(path.read_text(encoding="utf-8")), "about": {"release": release}}
        path.write_text(json.dumps(document), encoding="utf-8")
    assert _make(folders) == 1
    said = capsys.readouterr().out
    assert "fleet, release: Every router serves the same release" in said
    assert "a old, b new" in said


def _of(release: str, *failing: str) -> Report:
    """A report of a release, with failed checks of these areas."""
    report = _report(*(Result("a", area, f"Holds in {area}", FAILED) for area in failing))
    report.about = {"a": {"release": release}, "gateway": {}}
    return report


@pytest.mark.parametrize(
    ("before", "now", "blamed"),
    [
        ([_of("good")], _of("bad", "routing"), True),
        ([_of("good")], _of("bad", "requests"), True),
        ([_of("good")], _of("bad", "host", "containers"), False),
        ([_of("good", "routing")], _of("bad", "routing"), False),
        ([_of("good", "routing")], _of("bad", "routing", "requests"), True),
        # It was rolled back, and is tried again.
        ([_of("good"), _of("bad", "routing")], _of("bad", "routing"), True),
        # There is no report of what clients got before.
        ([_of("another")], _of("bad", "routing"), False),
    ],
)
def test_a_release_is_to_blame_for_what_clients_did_not_get_wrong_from_the_one_before(
    before: list[Report], now: Report, blamed: bool
) -> None:
    assert blames_release(now, before, "good") is blamed
    assert not blames_release(now, before, ""), "nothing was left: it is only verified"


@pytest.mark.parametrize(
    ("servers", "found"),
    [
        ("a-blue UP, a-green MAINT, b-blue DOWN, b-green UP 2/3", ""),
        ("a-blue MAINT, a-green UP, b-blue DOWN, b-green UP", "a-blue MAINT, a-green UP"),
        ("a-blue UP, a-green UP, b-blue DOWN, b-green UP", "a-green UP"),
        ("a-blue UP, a-green MAINT", "b-green is unknown to it"),
    ],
)
def test_a_gateway_that_sends_to_another_slot_than_serves_is_red(servers: str, found: str) -> None:
    report = _report()
    report.about = {"a": {"slot": "blue"}, "b": {"slot": "green"}, "gateway": {"servers": servers}}
    judge_fleet(report)
    assert [result.found for result in report.results] == [found]
    assert report.results[0].key == (
        "gateway",
        "gateway",
        "Gateway sends to the serving slot of every router, and to no other",
    )
    assert bool(report.results[0].hint) == bool(found)


@pytest.mark.parametrize("text", ["", "[]", "<html>", '{"host": "b"}', '{"host": "b", "results": [{"verdict": "ok"}]}'])
def test_results_that_cannot_be_read_are_red(
    folders: tuple[Path, Path], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders[0] / "b.json").write_text(text, encoding="utf-8")
    assert _make(folders) == 1
    assert "Results can be read" in capsys.readouterr().out


def test_a_broken_earlier_report_is_told_and_left_out(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    history = folders[1] / "history"
    history.mkdir(parents=True)
    (history / "20260101T000000Z.json").write_text('{"schema": 1, "results": 3}', encoding="utf-8")
    assert _make(folders) == 0
    assert "20260101T000000Z.json is left out" in capsys.readouterr().out


def test_history_keeps_the_last(folders: tuple[Path, Path]) -> None:
    history = folders[1] / "history"
    history.mkdir(parents=True)
    for day in range(1, 6):
        older = _report(_result("One holds"), time=f"2026-01-0{day}T00:00:00Z")
        (history / f"2026010{day}T000000Z.json").write_text(older.to_json(), encoding="utf-8")
        (history / f"2026010{day}T000000Z.html").write_text("page", encoding="utf-8")
    assert _make(folders, "--keep", "3") == 0
    reports, broken = earlier(folders[1])
    assert ([report.time[:10] for report in reports[:2]], broken) == (["2026-01-04", "2026-01-05"], [])
    assert len(reports) == 3
    assert not (history / "20260101T000000Z.html").exists()
    linked = re.findall(r'href="history/([^"]+)"', (folders[1] / "index.html").read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(path.name for path in history.glob("*.html"))


def test_a_folder_that_cannot_be_written_is_told(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folders[1].write_text("a file where the folder should be", encoding="utf-8")
    assert _make(folders) == 2
    assert "The report could not be written" in capsys.readouterr().err


def test_three_hundred_hosts_fit_into_a_terminal(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = json.dumps([f"host-{number}" for number in range(300)])
    results, folder = folders
    arguments = ["--environment", "lab", "--results", str(results), "--folder", str(folder), "--hosts", hosts]
    assert make_report.main(arguments) == 1
    said = capsys.readouterr().out
    assert len(said.splitlines()) < 220
    assert "more: they are in the page" in said

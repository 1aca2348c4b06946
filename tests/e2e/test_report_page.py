"""The verification page in a real browser: of this machine's deployment, and of one with failures."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from e2e.machine import PROJECT
from junitparser import JUnitXml
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from report.history import compare
from report.junit import junit_xml
from report.model import FAILED, Report, Result, read_report
from report.page import page_html

VERIFY = PROJECT / "reports/local/verify"
PHONE, DESKTOP = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
# Without these options the browser would look for updates on the internet.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The distribution's Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine; ./test.sh installs it on Debian")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


def _worse(report: Report) -> Report:
    """Return a report with three failures, one of them with unusual text."""
    rows = [Result(**asdict(result)) for result in report.results]
    for row, found in zip(rows[:3], ("that", "<b>HTML</b> & \x07", "x" * 600), strict=True):
        row.verdict, row.expected, row.found, row.hint = FAILED, "this", found, "some_variable"
    return Report(
        report.environment, "2099-01-01T00:00:00Z", report.version, report.url, rows, report.about, ["A note."]
    )


@pytest.fixture(scope="module", params=["good", "failed"])
def files(request: pytest.FixtureRequest, deployed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page and its JUnit: the deployment's own, or one with failures."""
    report = read_report(VERIFY / "report.json")
    if request.param == "good":
        return VERIFY
    folder = tmp_path_factory.mktemp("failed")
    worse = _worse(report)
    (folder / "report.html").write_text(page_html(worse, compare(worse, [report])), encoding="utf-8")
    (folder / "junit.xml").write_text(junit_xml(worse), encoding="utf-8")
    return folder


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, files: Path) -> Iterator[Page]:
    """The page in both color schemes; its requests and console messages fail the test at the end."""
    context = browser.new_context(color_scheme=request.param, viewport=DESKTOP)
    shown = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto((files / "report.html").as_uri())
    yield shown
    context.close()
    assert asked == [(files / "report.html").as_uri()], "a request left the page"
    assert said == []


def test_numbers_are_those_of_the_junit(page: Page, files: Path) -> None:
    junit = JUnitXml.fromfile(str(files / "junit.xml"))
    assert page.locator("#checks tbody tr").count() == junit.tests
    assert page.locator(".failure").count() == junit.failures
    assert page.locator("#checks tbody tr[data-verdict=skipped]").count() == junit.skipped
    heading = page.locator("h1").inner_text()
    held = junit.tests - junit.failures - junit.skipped
    wanted = f"Failed: {junit.failures} of {held + junit.failures}" if junit.failures else f"Passed: {held} checks"
    assert heading.startswith(wanted)


def test_nothing_serious_for_those_who_cannot_see_or_point(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    grave = [f"{one['id']}: {one['help']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in GRAVE]
    assert grave == []


def test_filters_show_what_they_name(page: Page) -> None:
    rows = page.locator("#checks tbody tr")
    everything = rows.count()
    page.get_by_role("combobox", name="Area").select_option("routing")
    shown = page.locator("#checks tbody tr:visible")
    assert 0 < shown.count() < everything
    assert set(shown.evaluate_all("rows => rows.map(row => row.dataset.area)")) == {"routing"}
    assert page.locator("#shown").inner_text() == f"{shown.count()} of {everything} checks"
    page.get_by_role("searchbox", name="Words").fill("claude-auto")
    assert 0 < shown.count() < everything
    page.get_by_role("searchbox", name="Words").fill("no such words")
    assert shown.count() == 0


def test_a_cell_of_the_matrix_leads_to_its_checks(page: Page) -> None:
    cell = page.locator("a[data-area=engine]").first
    wanted = int(re.findall(r"\d+", cell.inner_text())[-1])
    cell.click()
    assert page.locator("#checks tbody tr:visible").count() == wanted


def test_a_phone_scrolls_in_one_direction(page: Page) -> None:
    page.set_viewport_size(PHONE)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "something is wider than a phone"


def test_everything_can_be_reached_by_keyboard(page: Page) -> None:
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"filter-host", "filter-area", "filter-verdict", "filter-text", "wide"} <= seen


def test_index_leads_to_every_kept_report(browser: Browser, deployed: dict[str, str]) -> None:
    shown = browser.new_page()
    shown.goto((VERIFY / "index.html").as_uri())
    links = shown.locator("tbody a").evaluate_all("links => links.map(link => link.href)")
    kept = sorted(path.as_uri() for path in (VERIFY / "history").glob("*.html"))
    assert sorted(links) == kept
    shown.close()

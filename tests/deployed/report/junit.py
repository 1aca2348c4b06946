"""The report as JUnit XML, which CI servers read: one suite for each host and area, one case for each check.

The form is the one that Jenkins, GitLab and pytest agree on: https://github.com/testmoapp/junitxml.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from report.model import FAILED, SKIPPED, Report, Result

# Characters that XML 1.0 cannot hold: a result may quote an upstream's answer.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> str:
    """Return the report as JUnit XML."""
    root = ElementTree.Element("testsuites", {"name": report.environment, **_counts(report.results)})
    groups = dict.fromkeys((result.host, result.area) for result in report.results)
    for host, area in groups:
        results = [result for result in report.results if (result.host, result.area) == (host, area)]
        head = {"name": f"{host}.{area}", "hostname": host, "timestamp": report.time.rstrip("Z"), **_counts(results)}
        suite = ElementTree.SubElement(root, "testsuite", {name: _clean(value) for name, value in head.items()})
        for result in results:
            _add_case(suite, result)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ElementTree.Element, result: Result) -> None:
    head = {"classname": f"{result.host}.{result.area}", "name": result.check, "time": _seconds([result])}
    case = ElementTree.SubElement(suite, "testcase", {name: _clean(value) for name, value in head.items()})
    if result.verdict == FAILED:
        said = f"expected {result.expected}; found {result.found}"
        failure = ElementTree.SubElement(case, "failure", {"message": _clean(said), "type": "CheckFailedError"})
        failure.text = _clean(f"expected: {result.expected}\nfound:    {result.found}\nfix:      {result.hint}")
    elif result.verdict == SKIPPED:
        ElementTree.SubElement(case, "skipped", {"message": _clean(result.found)})


def _counts(results: Sequence[Result]) -> dict[str, str]:
    verdicts = [result.verdict for result in results]
    counts = {"tests": len(verdicts), "failures": verdicts.count(FAILED), "skipped": verdicts.count(SKIPPED)}
    return {**{name: str(number) for name, number in counts.items()}, "errors": "0", "time": _seconds(results)}


def _seconds(results: Sequence[Result]) -> str:
    return f"{sum(result.milliseconds for result in results) / 1000:.3f}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)

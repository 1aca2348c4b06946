#!/usr/bin/env python3
"""Makes the page that recommends whether to use a family's adapter: from records, labels and counters.

    python3 tests/deployed/make_routing_report.py --environment local --families families.json \
        --folder reports/local/routing --hosts '["local"]'

The folder has records/FAMILY.jsonl (vibe_router.py records) and counters/HOST.txt (the routers' metrics), and
labels/FAMILY.jsonl where there are labels made by hand or by ./deploy.sh replay. It gets FAMILY.html, FAMILY.json and
FAMILY.labels.jsonl, which fit reads. Prints one line per family, advice first. Exits with 0, or 2 where an input
cannot be read or a page not be written.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "files"))
from report.routing import Cost, Routed, Study, study
from report.routing_page import routing_html, routing_json
from vibe.feedback.decision_records import labels_of
from vibe.learning.labels import LabelsError, read_labels
from vibe.scoring.scorer import load_prior

# vibe_spend_dollars_total{pool="pool-mini",virtual_model="chat-auto"} 1.5
_SAMPLE = re.compile(r"^(vibe_\w+_total)\{([^}]*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_SPENT, _STRONG_SPENT, _DECIDED = "vibe_spend_dollars_total", "vibe_strong_spend_dollars_total", "vibe_decisions_total"


def costs_of(texts: Sequence[str], virtual_model: str) -> list[Cost]:
    """Return what each pool served of *virtual_model*, by the counters in *texts*, one of each router's slot."""
    sums: dict[str, dict[str, float]] = {}
    for name, labels, value in (sample for text in texts for sample in _SAMPLE.findall(text)):
        of = dict(_LABEL.findall(labels))
        if of.get("virtual_model") == virtual_model and "pool" in of:
            pool = sums.setdefault(of["pool"], {})
            pool[name] = pool.get(name, 0.0) + float(value)
    return [
        Cost(pool, int(found.get(_DECIDED, 0)), found.get(_SPENT, 0.0), found.get(_STRONG_SPENT, 0.0))
        for pool, found in sorted(sums.items())
    ]


def studied(folder: Path, families: Sequence[dict[str, Any]], hosts: Sequence[str]) -> Iterator[Study]:
    """Yield the study of each family from the files in *folder*; its labels are written beside the page.

    Raises:
        LabelsError, ValueError, KeyError, OSError: an input cannot be used.
    """
    texts = [(folder / "counters" / f"{host}.txt").read_text(encoding="utf-8") for host in hosts]
    prior = load_prior()
    for family in families:
        routed = Routed(**family)
        lines = (folder / "records" / f"{routed.name}.jsonl").read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if line]
        live = "".join(json.dumps(label) + "\n" for label in labels_of(records, routed.cheap_pool).labels)
        made = folder / "labels" / f"{routed.name}.jsonl"
        used = folder / f"{routed.name}.labels.jsonl"
        used.write_text(live, encoding="utf-8")
        own = read_labels(used, routed.name)
        by_hand = read_labels(made, routed.name) if made.exists() else []
        if by_hand:
            used.write_text(live + made.read_text(encoding="utf-8"), encoding="utf-8")
        yield study(routed, records, own, by_hand, costs_of(texts, routed.virtual_model), prior)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pages and return the exit code."""
    parser = argparse.ArgumentParser(description="Whether each family's adapter is worth its switch.")
    parser.add_argument("--environment", required=True, help="what the report is of: the inventory's name")
    parser.add_argument("--families", required=True, type=Path, metavar="FILE", help="JSON: a list of families")
    parser.add_argument("--folder", required=True, type=Path, metavar="DIR", help="where the inputs are and pages go")
    parser.add_argument("--hosts", required=True, type=json.loads, metavar="JSON", help="the routers that counted")
    given = parser.parse_args(arguments)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        families = json.loads(given.families.read_text(encoding="utf-8"))
        for found in studied(given.folder, families, given.hosts):
            name = found.routed.name
            (given.folder / f"{name}.html").write_text(routing_html(found, given.environment, at), encoding="utf-8")
            (given.folder / f"{name}.json").write_text(routing_json(found, given.environment, at), encoding="utf-8")
            print(f"{name}: {found.advice.line}: {found.advice.reason}; {given.folder / name}.html")
    except (LabelsError, ValueError, KeyError, TypeError, OSError) as error:
        print(f"routing report: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python
"""Compares a gateway's log of a release's first hosts with its log of the others."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: gateway_comparison
short_description: Compare the servers of a new release with the others by a gateway's own log
description:
  - Reads the log that the gateway wrote since O(since), one JSON object a request, and compares error rate and median
    time to the first byte.
  - What the new servers are compared with is what the others answered in the same time; where that is too little, what
    was answered in the time of the same length before.
  - Changes nothing, in check mode or out of it.
options:
  container:
    description: The gateway's container.
    type: str
    required: true
  servers:
    description: Names of the servers that run the new release.
    type: list
    elements: str
    required: true
  since:
    description: When they began to serve, in seconds since 1970 by this host's clock.
    type: float
    required: true
  min_requests:
    description: Of fewer requests to either side nothing is said.
    type: int
    required: true
  max_error_rate_excess:
    description: How much larger a share of the new servers' requests may fail.
    type: float
    required: true
  max_latency_ratio:
    description: How many times as long their median time to the first byte may be.
    type: float
    required: true
author: the project
"""

EXAMPLES = r"""
- name: Canary is no worse than the others
  gateway_comparison:
    container: vibe-gateway
    servers: [router-1-green]
    since: 1760000000
    min_requests: 20
    max_error_rate_excess: 0.02
    max_latency_ratio: 2
"""

RETURN = r"""
worse:
  description: What is worse, one sentence each; empty where nothing is, or where too little is known.
  type: list
  elements: str
  returned: success
words:
  description: The figures of both sides, as a sentence.
  type: str
  returned: success
"""

# First letters of HAProxy's termination state if the server, or the connection to it, failed; a client that left is
# not a failure.
_SERVER_FAULTS = "SsUD"


@dataclass
class Figures:
    """The answers of one side."""

    errors: int = 0
    first_bytes_ms: list[int] = field(default_factory=list)
    requests: int = 0

    def add(self, entry: dict[str, Any]) -> None:
        """Count one request of the log."""
        self.requests += 1
        if entry["status"] >= 500 or str(entry.get("end", "-"))[:1] in _SERVER_FAULTS:
            self.errors += 1
        elif entry.get("first_byte_ms", -1) >= 0:
            self.first_bytes_ms.append(entry["first_byte_ms"])

    @property
    def error_rate(self) -> float:
        """Share of the requests that failed, 0 to 1."""
        return self.errors / self.requests if self.requests else 0.0

    @property
    def median_ms(self) -> float:
        """Median time to the first byte of the requests that were answered, in milliseconds; 0 without any."""
        return statistics.median(self.first_bytes_ms) if self.first_bytes_ms else 0.0

    def __str__(self) -> str:
        return (
            f"{self.requests} requests, {self.error_rate:.1%} failed, median {self.median_ms:.0f} ms to the first byte"
        )


@dataclass
class Limits:
    """The limits from which the new servers count as worse."""

    min_requests: int
    max_error_rate_excess: float
    max_latency_ratio: float


def read(lines: Iterable[str], servers: set[str], since: float) -> tuple[Figures, Figures, Figures]:
    """Return the figures of *servers* since *since*, those of the others since then, and those of all earlier."""
    new, others, before = Figures(), Figures(), Figures()
    for line in lines:
        if not line.startswith("{"):
            continue
        try:
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()
        except (ValueError, KeyError):
            # HAProxy logs other lines too, and the first line may be cut.
            continue
        # A request that no server got (refused by the gateway, or no server available) does not count.
        if entry.get("server", "<NOSRV>") == "<NOSRV>":
            continue
        side = before if at < since else new if entry["server"] in servers else others
        side.add(entry)
    return new, others, before


def compare(new: Figures, others: Figures, before: Figures, limits: Limits) -> tuple[list[str], str]:
    """Return what is worse about the new servers, one sentence each, and a sentence with both sides' figures."""
    known = others if others.requests >= limits.min_requests else before
    whose = "the others" if known is others else "all servers before"
    words = f"{new}; {whose}: {known}"
    if min(new.requests, known.requests) < limits.min_requests:
        return [], f"{words}; too few to compare ({limits.min_requests} are needed on either side)"
    worse = []
    if new.error_rate > known.error_rate + limits.max_error_rate_excess:
        worse.append(
            f"{new.error_rate:.1%} of its requests failed, {known.error_rate:.1%} of those of {whose};"
            f" {limits.max_error_rate_excess:.1%} more are allowed (router_canary_max_error_rate_excess)"
        )
    if new.median_ms > known.median_ms * limits.max_latency_ratio:
        worse.append(
            f"its median time to the first byte is {new.median_ms:.0f} ms, that of {whose} {known.median_ms:.0f} ms;"
            f" {limits.max_latency_ratio:g} times as much is allowed (router_canary_max_latency_ratio)"
        )
    return worse, words


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(
        argument_spec={
            "container": {"type": "str", "required": True},
            "servers": {"type": "list", "elements": "str", "required": True},
            "since": {"type": "float", "required": True},
            "min_requests": {"type": "int", "required": True},
            "max_error_rate_excess": {"type": "float", "required": True},
            "max_latency_ratio": {"type": "float", "required": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    earliest = given["since"] - (time.time() - given["since"])
    log = subprocess.Popen(
        ["docker", "logs", "--since", f"{earliest:.0f}", given["container"]],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )
    assert log.stdout is not None
    figures = read(log.stdout, set(given["servers"]), given["since"])
    if log.wait():
        module.fail_json(msg=f"docker logs {given['container']} ended with exit code {log.returncode}")
    limits = Limits(given["min_requests"], given["max_error_rate_excess"], given["max_latency_ratio"])
    worse, words = compare(*figures, limits)
    module.exit_json(changed=False, worse=worse, words=words)


if __name__ == "__main__":
    main()

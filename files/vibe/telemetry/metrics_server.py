#!/usr/bin/env python3
"""Serves the counters of all workers of this slot to Prometheus: ``GET /metrics``.

A process of its own beside the proxy, so that a scrape takes no time from a worker, and no thread hinders a
fork. It ends with the process that started it.

    PROMETHEUS_MULTIPROC_DIR=/tmp/vibe-metrics python3 -m vibe.telemetry.metrics_server --port 9464
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

LOOK_SECONDS = 2.0


def main() -> int:
    """Serve until the parent is gone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    parent = os.getppid()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has types, its multiprocess module none
    start_http_server(options.port, registry=registry)
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())

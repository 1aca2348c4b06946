"""The router's counters for Prometheus; none if prometheus_client is not installed.

Labels are names of the routes, and of the clients that the gateway knows, so there are some hundred series at most: no
client can add one. With several workers each writes files of its own below ``PROMETHEUS_MULTIPROC_DIR``, which
``metrics_server.py`` adds up.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from vibe.routing.decision import Decision
from vibe.rules.escalation import NAME as ESCALATION_RULE
from vibe.telemetry.spending import Spending

prometheus_client: Any = import_module("prometheus_client") if find_spec("prometheus_client") else None

SCORE_BUCKETS = tuple(float(bound) for bound in range(10, 101, 10))
# A decision takes some hundred microseconds; one that waits for Redis, up to 100 ms.
DECISION_SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5)


class Metrics:
    """All of the router's series, in the *registry* (default: that of the process)."""

    def __init__(self, registry: Any = None) -> None:
        """Make the series."""
        self._series: dict[str, Any] = {}
        if prometheus_client is None:
            return
        chosen = {} if registry is None else {"registry": registry}
        counter, histogram = prometheus_client.Counter, prometheus_client.Histogram
        family, pool = ["virtual_model"], ["virtual_model", "pool"]
        for name, words, labels in (
            (
                "vibe_decisions",
                "Routed requests, by the pool that was chosen and the rule that chose.",
                [*pool, "rule"],
            ),
            ("vibe_moves", "Conversations that changed their side.", [*family, "to"]),
            ("vibe_escalations", "Conversations that went strong because something failed.", family),
            ("vibe_router_errors", "Requests that the safe pool got because the router failed.", family),
            ("vibe_tokens", "Tokens of answered requests, as the upstream counted them.", [*pool, "kind"]),
            ("vibe_feedback", "What clients said of answers, by the status that it was answered with.", ["status"]),
            ("vibe_stopped", "Requests, calls and connections that a gate stopped, by the gate.", ["gate"]),
            ("vibe_spend_dollars", "Estimated cost of answered requests.", pool),
            ("vibe_strong_spend_dollars", "What they would have cost on the strong pool, estimated.", pool),
            ("vibe_client_requests", "Routed requests, by who asked.", ["client", *family]),
            ("vibe_client_spend_dollars", "Estimated cost of answered requests, by who asked.", ["client", *family]),
        ):
            self._series[name] = counter(name, words, labels, **chosen)
        self._series["vibe_score"] = histogram(
            "vibe_score", "Scores of prompts.", family, buckets=SCORE_BUCKETS, **chosen
        )
        self._series["vibe_decision_seconds"] = histogram(
            "vibe_decision_seconds", "Time that a decision took.", family, buckets=DECISION_SECONDS, **chosen
        )

    def decided(self, decision: Decision, seconds: float) -> None:
        """Count a *decision* that took so many *seconds*."""
        if not self._series:
            return
        model = decision.virtual_model
        self._series["vibe_decisions"].labels(model, decision.target, decision.rule).inc()
        self._series["vibe_decision_seconds"].labels(model).observe(seconds)
        if decision.score is not None:
            self._series["vibe_score"].labels(model).observe(decision.score)
        if decision.moved_to is not None:
            self._series["vibe_moves"].labels(model, decision.moved_to).inc()
        if decision.rule == ESCALATION_RULE:
            self._series["vibe_escalations"].labels(model).inc()

    def failed(self, virtual_model: str) -> None:
        """Count a request that the safe pool got because the router failed."""
        if self._series:
            self._series["vibe_router_errors"].labels(virtual_model).inc()

    def told(self, status: int) -> None:
        """Count feedback that was answered with *status*."""
        if self._series:
            self._series["vibe_feedback"].labels(str(status)).inc()

    def stopped(self, gate: str) -> None:
        """Count what a *gate* stopped."""
        if self._series:
            self._series["vibe_stopped"].labels(gate).inc()

    def asked(self, client: str, virtual_model: str) -> None:
        """Count a routed request of *client*."""
        if self._series:
            self._series["vibe_client_requests"].labels(client, virtual_model).inc()

    def served(self, virtual_model: str, spent: Spending, client: str) -> None:
        """Count what an answered request of *client* took and cost; a pool of another family has no price."""
        if not self._series:
            return
        usage, tokens = spent.usage, self._series["vibe_tokens"]
        kinds = {"input": usage.fresh, "cached": usage.cached, "written": usage.written, "output": usage.answer}
        for kind, count in kinds.items():
            if count:
                tokens.labels(virtual_model, spent.pool, kind).inc(count)
        if spent.cost is not None and spent.strong_cost is not None:
            self._series["vibe_spend_dollars"].labels(virtual_model, spent.pool).inc(spent.cost)
            self._series["vibe_client_spend_dollars"].labels(client, virtual_model).inc(spent.cost)
            self._series["vibe_strong_spend_dollars"].labels(virtual_model, spent.pool).inc(spent.strong_cost)

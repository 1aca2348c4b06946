"""The lines that an operator reads in the router's log: names and numbers, never a request's text."""

from __future__ import annotations

from collections.abc import Mapping

from vibe.log import INFO, WARNING
from vibe.routes.family import ACTIVE, Family
from vibe.routes.prices import odd_prices
from vibe.routing.decision import Decision
from vibe.telemetry.spending import Spending, dollars

DECISION, SERVED = "ROUTING DECISION", "SERVED"


def decision_line(decision: Decision, client: str, request_id: str, call_id: str, call_type: str) -> str:
    """Return the log line of a *decision* for *client*: where the request went, by which rule, and why."""
    score = "-" if decision.score is None else f"{decision.score:.1f}"
    adapter = "" if decision.adapter is None else f"adapter={decision.adapter} "
    shadow = f"routing={decision.routing} proposed={decision.proposed or '-'} "
    return (
        f"{DECISION} virtual_model={decision.virtual_model} pool={decision.target} rule={decision.rule} "
        f"{'' if decision.routing == ACTIVE else shadow}score={score} {adapter}threshold={decision.threshold:g} "
        f'reasons="{", ".join(decision.reasons)}" conversation={decision.conversation or "-"} '
        f"client={client} request_id={request_id} call_id={call_id} call_type={call_type}"
    )


def served_line(spent: Spending, decision: Mapping[str, object], call_id: str) -> str:
    """Return the log line of an answered request with this *decision* record: its tokens, cost and savings."""
    usage = spent.usage
    return (
        f"{SERVED} virtual_model={decision.get('virtual_model')} pool={spent.pool} input_tokens={usage.fresh} "
        f"cached_tokens={usage.cached} written_tokens={usage.written} output_tokens={usage.answer} "
        f"cost={dollars(spent.cost)} strong_cost={dollars(spent.strong_cost)} saved={dollars(spent.saved)} "
        f"conversation={decision.get('conversation') or '-'} call_id={call_id}"
    )


def price_lines(family: Family) -> list[tuple[str, str]]:
    """Return the log lines about the prices of *family* at the start, with their levels."""
    cheap, strong = family.cheap.prices, family.strong.prices
    if cheap is None or strong is None:
        pools = ((family.cheap_pool, cheap), (family.strong_pool, strong))
        unknown = " and ".join(pool for pool, prices in pools if prices is None)
        return [
            (INFO, f"family {family.name}: the prices of {unknown} are not known: its conversations move by margins")
        ]
    odd = odd_prices(family.cheap_pool, cheap, family.strong_pool, strong)
    return [(WARNING, f"family {family.name}: {words}") for words in odd]

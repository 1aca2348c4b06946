"""The walk from the client inwards: each link in order, until one is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from report.judge import judge
from report.model import FAILED, Result, sentence

from doctor import links_hosts, links_redis, links_router, links_upstream, links_way_in
from doctor.case import Case, Machine

CLIENT = "client"
HOSTS_AT_ONCE = 8
HINT_ERROR = "the doctor itself does not know this; ./deploy.sh verify looks at everything"


@dataclass(frozen=True)
class Link:
    """A check and its role: "" for the client's own, `all` for every host's."""

    check: Callable[..., None]
    role: str = ""


WALK = (
    Link(links_way_in.gateway_name_resolves),
    Link(links_way_in.gateway_port_is_open),
    Link(links_way_in.gateway_certificate_is_valid),
    Link(links_way_in.gateway_answers),
    Link(links_way_in.key_is_known),
    Link(links_hosts.host_answers, "all"),
    Link(links_hosts.engine_answers, "all"),
    Link(links_hosts.disk_has_room, "all"),
    Link(links_hosts.clock_is_right, "all"),
    Link(links_router.gateway_runs, "gateway"),
    Link(links_router.a_slot_serves, "router"),
    Link(links_router.serving_slot_runs, "router"),
    Link(links_router.serving_slot_starts_within_its_start_period, "router"),
    Link(links_router.serving_slot_is_healthy, "router"),
    Link(links_router.serving_slot_keeps_running, "router"),
    Link(links_router.gateway_sends_to_the_serving_slots, "gateway"),
    Link(links_router.container_has_the_plugin, "router"),
    Link(links_router.hook_is_registered, "router"),
    Link(links_router.configuration_has_no_silent_fault, "router"),
    Link(links_router.timeouts_fit_each_other, "router"),
    Link(links_redis.redis_runs, "redis"),
    Link(links_redis.redis_accepts_writes, "redis"),
    Link(links_redis.router_reaches_redis, "router"),
    Link(links_upstream.virtual_models_are_listed),
    Link(links_upstream.every_pool_answers),
    Link(links_upstream.decisions_are_made),
)


def walk(case: Case) -> Iterator[list[Result]]:
    """Yield the results of each link, one per host, and end after the first broken link."""
    for link in WALK:
        results = _look(link, case)
        if results:
            yield results
        if any(result.verdict == FAILED for result in results):
            return


def _look(link: Link, case: Case) -> list[Result]:
    """Check a link on all its hosts; all hosts of a broken link are reported, not only the first."""
    if not link.role:
        return [_judge(link, CLIENT, case)]
    machines = case.machines if link.role == "all" else case.of(link.role)
    with ThreadPoolExecutor(HOSTS_AT_ONCE) as pool:
        return list(pool.map(lambda machine: _judge(link, machine.name, case, machine), machines))


def _judge(link: Link, where: str, case: Case, *machine: Machine) -> Result:
    result = Result(where, "doctor", sentence(link.check.__name__))
    # An answer that no link expects is a finding; it must not end the doctor.
    return judge(result, lambda: link.check(case, *machine), HINT_ERROR)

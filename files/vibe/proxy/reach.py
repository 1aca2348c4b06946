"""Which model groups a request for some models may reach, by the routes and the fallbacks of the release."""

from __future__ import annotations

from collections.abc import Callable

from vibe.proxy.deployment_gate import DeploymentGate
from vibe.routes.routes_file import Routes

# Cached answers.
_MOST_KNOWN = 1000
Reach = Callable[[tuple[str, ...]], frozenset[str]]


def reach_of(gate: DeploymentGate, routes: Routes) -> Reach:
    """Return a function from models to their groups; without models, to all groups of the release.

    A virtual model reaches both pools of its family until the router has decided for one (``narrow``).
    """
    everything = frozenset(deployment.group for deployment in gate.deployments)
    known: dict[tuple[str, ...], frozenset[str]] = {(): everything}

    def reach(models: tuple[str, ...]) -> frozenset[str]:
        groups = known.get(models)
        if groups is None:
            names = list(models)
            for model in models:
                family = routes.by_virtual_model.get(model)
                if family is not None:
                    names += [family.cheap_pool, family.strong_pool, family.safe_pool]
            groups = gate.groups_from(names)
            # Models are checked before, so there are as many keys as clients have lists, unless a pattern is served.
            if len(known) < _MOST_KNOWN:
                known[models] = groups
        return groups

    return reach

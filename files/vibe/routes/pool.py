"""A pool: what its models can do, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vibe.routes.capabilities import UNKNOWN as UNKNOWN_CAPABILITIES
from vibe.routes.capabilities import Capabilities, capabilities_of
from vibe.routes.cost_map import model_info
from vibe.routes.prices import Prices, prices_of


@dataclass(frozen=True)
class Pool:
    """``capabilities`` of the models, and their ``prices``, None if unknown; the number of ``deployments``."""

    capabilities: Capabilities = UNKNOWN_CAPABILITIES
    prices: Prices | None = None
    deployments: int = 1


UNKNOWN = Pool()


def pool_of(models: Iterable[tuple[str, Mapping[str, object], float]]) -> Pool:
    """Return what is known of a pool of *models*: LiteLLM's name, the variables' model info, and the weight of each."""
    infos = [(model_info(name, stated), weight) for name, stated, weight in models]
    return Pool(capabilities_of(info for info, _ in infos), prices_of(infos), len(infos))

"""What is known of a pool: what its models can do, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vibe import abilities
from vibe.abilities import Abilities, abilities_of
from vibe.cost_map import model_info
from vibe.prices import Prices, prices_of


@dataclass(frozen=True)
class Pool:
    """``abilities`` of the models, and their ``prices``, None where these are not known."""

    abilities: Abilities = abilities.UNKNOWN
    prices: Prices | None = None


UNKNOWN = Pool()


def pool_of(models: Iterable[tuple[str, Mapping[str, object], float]]) -> Pool:
    """Return what is known of a pool of *models*: LiteLLM's name, the variables' model info, and the weight of each."""
    infos = [(model_info(name, stated), weight) for name, stated, weight in models]
    return Pool(abilities_of(info for info, _ in infos), prices_of(infos))

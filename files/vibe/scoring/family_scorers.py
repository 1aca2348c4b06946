"""The scorer of each family: the prior that all share, or one with the adapter or the signals of its routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.routes.signals import NO_SIGNALS
from vibe.scoring.scorer import Prior, Scorer, load_adapter, load_prior, with_head
from vibe.scoring.signals import Signalled
from vibe.scoring.turn_models import load_turn_models

# Beside the routes file, as a release has them: a family's adapter is named by the digest of its file.
ADAPTERS = Path("vibe") / "adapters"


class Scorers:
    """The scorers of all families."""

    def __init__(self, shared: Scorer, adapted: Mapping[str, Scorer] | None = None) -> None:
        """Take the scorer of every family, and by the family's name those that are *adapted*."""
        self.shared = shared
        self._adapted = dict(adapted or {})

    def of(self, family: Family) -> Scorer:
        """Return the scorer of *family*."""
        return self._adapted.get(family.name, self.shared)

    def groups(self, families: Iterable[Family]) -> list[tuple[Scorer, list[Family]]]:
        """Return *families* by what scores them, in their order."""
        found: list[tuple[Scorer, list[Family]]] = []
        for family in families:
            scorer = self.of(family)
            together = next((members for known, members in found if known is scorer), None)
            if together is None:
                found.append((scorer, [family]))
            else:
                together.append(family)
        return found


def load_scorers(routes: Routes, folder: Path) -> Scorers:
    """Read the prior, the models of turns, and the adapters that *routes* name, below *folder*, the routes file's.

    The rules load the models of turns themselves. They are read here so that a bad file stops the start.

    Raises:
        WeightsFileError: one is missing, spoilt, or was fitted for another family or on top of another prior.
    """
    prior = load_prior()
    load_turn_models()
    own = {family.name: _own(family, prior, folder) for family in routes.by_virtual_model.values()}
    return Scorers(prior, {name: scorer for name, scorer in own.items() if scorer is not prior})


def _own(family: Family, prior: Prior, folder: Path) -> Scorer:
    scorer: Scorer = prior
    if family.adapter:
        path = folder / ADAPTERS / f"{family.adapter}.json"
        scorer = with_head(prior, load_adapter(path, prior, family.name), path)
    return Signalled(scorer, family.signals) if family.signals != NO_SIGNALS else scorer

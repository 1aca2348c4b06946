"""Whether a turn continues what was asked before, and whether it calls the answer wrong: two small linear models.

Fitted on labelled turns in thirty languages (``tests/bench/routing/fit_turns.py``), each with its threshold at even
odds: few self-contained prompts may be taken for a continuation, and few that do not complain for a complaint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vibe.scoring.linear_model import PHRASES, PIECES, WORDS, LinearModel, model_of
from vibe.scoring.said import Said, said_in, window_of
from vibe.scoring.turn_features import COMPLAINT_NAMES, CONTINUATION_NAMES, complaint_values, continuation_values
from vibe.scoring.weights_file import TURNS, read_weights

TURNS_FILE = Path(__file__).with_name("turns.json")
TABLE_BITS = {WORDS: 15, PIECES: 14, PHRASES: 14}
CONTINUATION, COMPLAINT = "continuation", "complaint"


@dataclass(frozen=True)
class TurnModels:
    """The two models."""

    continuation: LinearModel
    complaint: LinearModel

    def continues(self, turn: str, prompt: str, answer: str, *, is_listed: bool) -> float:
        """Return the log odds that *turn* continues *prompt* and its *answer* ("" where one is not known).

        *is_listed*: it is among the phrases that are known to.
        """
        said = said_in(window_of(turn))
        return _log_odds(
            self.continuation, said, continuation_values(turn, said.words, prompt, answer, is_listed=is_listed)
        )

    def complains(self, turn: str, *, is_listed: bool) -> float:
        """Return the log odds that *turn* says that the answer before it is wrong."""
        said = said_in(window_of(turn))
        return _log_odds(self.complaint, said, complaint_values(turn, said.words, is_listed=is_listed))


@cache
def load_turn_models(path: Path = TURNS_FILE) -> TurnModels:
    """Read the models at *path*, once in a process.

    Raises:
        WeightsFileError: they cannot be used.
    """
    return turn_models_of(read_weights(path, TURNS), path)


def turn_models_of(document: Mapping[str, object], path: Path) -> TurnModels:
    """Return the models of the weights file *document*, read from *path*.

    Raises:
        WeightsFileError: they cannot be used.
    """
    return TurnModels(
        model_of(_part(document, CONTINUATION), CONTINUATION_NAMES, TABLE_BITS, path, TURNS),
        model_of(_part(document, COMPLAINT), COMPLAINT_NAMES, TABLE_BITS, path, TURNS),
    )


def _part(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def _log_odds(model: LinearModel, said: Said, values: list[float]) -> float:
    return model.base + sum(model.of_said(said)) + sum(model.of_numbers(values))

"""Word lists as one table each, so that a prompt's words are looked up once and not once per list."""

from __future__ import annotations

from collections.abc import Mapping

from vibe.scoring import vocabulary


class Lexicon:
    """Several named word lists; ``index`` is a list's place in the counts."""

    def __init__(self, lists: Mapping[str, frozenset[str]]) -> None:
        """Take the *lists* by name."""
        self.index = {name: index for index, name in enumerate(lists)}
        self._lists_of = {
            word: tuple(self.index[name] for name, members in lists.items() if word in members)
            for word in frozenset().union(*lists.values())
        }
        self._known = frozenset(self._lists_of)

    def counts(self, vocabulary: set[str]) -> list[int]:
        """Return how many different words of each list are in *vocabulary*."""
        counts = [0] * len(self.index)
        for word in vocabulary & self._known:
            for index in self._lists_of[word]:
                counts[index] += 1
        return counts


# The lists behind ``features`` and behind ``surface_features``.
FEATURE_LEXICON = Lexicon(
    {
        "greeting": vocabulary.GREETING,
        "acknowledgement": vocabulary.ACKNOWLEDGEMENT,
        "translate": vocabulary.TRANSLATE,
        "hard_verb": vocabulary.HARD_VERB,
        "proof": vocabulary.PROOF,
        "math": vocabulary.MATH,
        "architecture": vocabulary.ARCHITECTURE,
        "constraint": vocabulary.CONSTRAINT,
        "condition": vocabulary.CONDITION,
        "reasoning": vocabulary.REASONING,
        "speaker": vocabulary.SPEAKER,
        "case": vocabulary.CASE,
    }
)
TOPIC_LEXICON = Lexicon(vocabulary.TOPICS)

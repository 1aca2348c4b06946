"""Word lists as one table each, so that an ask's words are looked up once and not once per list."""

from __future__ import annotations

from collections.abc import Mapping

from vibe import words


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


# What the prior looks for, and what only a learnt head does.
PRIOR_LEXICON = Lexicon(
    {
        "greeting": words.GREETING,
        "acknowledgement": words.ACKNOWLEDGEMENT,
        "translate": words.TRANSLATE,
        "hard_verb": words.HARD_VERB,
        "proof": words.PROOF,
        "math": words.MATH,
        "architecture": words.ARCHITECTURE,
        "constraint": words.CONSTRAINT,
        "condition": words.CONDITION,
        "reasoning": words.REASONING,
        "speaker": words.SPEAKER,
        "case": words.CASE,
    }
)
TOPIC_LEXICON = Lexicon(words.TOPICS)

"""Whether a prompt only makes sense with what came before it: "ok go ahead", "and in German?", "why is that?", "继续".

By a list of words, in the languages of ``vocabulary``: it is short and has no object of its own. And by a model
(``scoring.turn_models``), which also reads the previous turn: "which shard did you mean in step 2?". A prompt taken
for a continuation stays on its conversation's side, whichever that is; one that is not is scored by itself.
"""

from __future__ import annotations

import re

from vibe.request.token_estimate import CJK_CHAR
from vibe.rules.continuation_words import FUNCTION, GENERIC_VERB, LINK, LINKS, POINTING, TERMS_CJK
from vibe.scoring import vocabulary
from vibe.scoring.turn_models import load_turn_models

# A prompt of this many characters or words names its subject.
MAX_CHARS, MAX_WORDS, MAX_CHARS_CJK = 120, 9, 12
# A pointing word may come with one word of its own ("do that in Python"); so may a prompt that opens with "and".
_OWN_WORDS = 1
# What clients send to continue by themselves (opencode, after a compaction).
_CLIENTS = ("Continue if you have next steps",)
# A prompt this short answers the assistant's question: "the second", "PostgreSQL", "42".
_ANSWER_WORDS = 2
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")

_EMPTY = vocabulary.GREETING | vocabulary.ACKNOWLEDGEMENT | vocabulary.FILLER | FUNCTION | LINK | GENERIC_VERB
# A prompt that begins with one of these states its task.
_ORDERS = vocabulary.HARD_VERB | vocabulary.LOOKUP | vocabulary.TRANSLATE | GENERIC_VERB


def is_continuation(prompt: str, before: str = "", answer: str = "") -> bool:
    """Whether *prompt* continues the prompt *before* and its answer, each "" if unknown.

    Costs the same for 10 kB as for 10 MB.
    """
    is_listed = is_listed_continuation(prompt)
    return is_listed or load_turn_models().continues(prompt, before, answer, is_listed=is_listed) > 0


def is_listed_continuation(prompt: str) -> bool:
    """Whether the words of *prompt* alone show that it continues an earlier prompt."""
    if len(prompt) > MAX_CHARS:
        return False
    if prompt.startswith(_CLIENTS):
        return True
    lowered = prompt.lower().replace("\u2019", "'")
    if CJK_CHAR.search(lowered):
        return _continues_cjk(lowered)
    found = _WORD.findall(lowered)
    if len(found) > MAX_WORDS:
        return False
    own = _own_words(found)
    if own == 0:
        return True
    # "thanks, and in German?" begins with its "and" as well.
    first = next(word for word in found if word not in vocabulary.ACKNOWLEDGEMENT or word in LINK) if own else ""
    if own == _OWN_WORDS and (first in LINK or not POINTING.isdisjoint(found)):
        return True
    # The link's own words do not count.
    link = next((link for link in LINKS if lowered.startswith(link)), None)
    if link is not None and _own_words(_WORD.findall(lowered[len(link) :])) == _OWN_WORDS:
        return True
    is_order = found[0] in _ORDERS and len(found) > 1
    return len(found) <= _ANSWER_WORDS and not is_order and not any(mark in lowered for mark in _QUESTION_MARKS)


def _own_words(found: list[str]) -> int:
    return sum(word not in _EMPTY for word in found)


def _continues_cjk(lowered: str) -> bool:
    if len(lowered) > MAX_CHARS_CJK:
        return False
    return any(term in lowered for term in TERMS_CJK)

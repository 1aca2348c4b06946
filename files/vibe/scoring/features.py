"""Features for a learnt head: signals of hard and of easy prompts. Every operation is linear in the part that is read.

Each feature is 0 where it is absent.
"""

from __future__ import annotations

import math
import re

from vibe.scoring import vocabulary
from vibe.scoring.lexicon import FEATURE_LEXICON
from vibe.scoring.text_view import TextView

FEATURE_NAMES = (
    "length",
    "proof",
    "hard_verb",
    "architecture",
    "math",
    "code",
    "constraint",
    "condition",
    "reasoning",
    "questions",
    "enumeration",
    "greeting",
    "acknowledgement",
    "very_short",
    "lookup",
    "translate",
    "small_talk_cjk",
    "sentences",
    "commas",
    "speaker",
    "case",
)
MAX_COUNT = 3
VERY_SHORT_TOKENS = 4.0
SHORT_TOKENS = 14.0
PHATIC_WORDS = 8

_SENTENCE_ENDS = (". ", "? ", "! ")
_LAST_MARKS = (".", "?", "!")
_SENTENCE_ENDS_CJK = ("\u3002", "\uff01", "\uff1f")
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")
# Tried at line breaks only: with ^ and MULTILINE it is tried at every character.
_LIST_ITEM = re.compile(r"\n[ \t]{0,8}(?:\d{1,2}[.)]|[-*•]|\([a-z0-9]\))[ \t]")
_COMMAS = (",", ";", "\uff0c", "\u3001", "\uff1b", "\u060c")
# Marks by the one character that all of a group have: where it is missing, nothing more is searched. A pattern with
# many alternatives would be tried at every character and cost twenty times more.
_CODE_MARKS = {
    "`": ("```",),
    ";": ("();", ");\n", "};"),
    "{": ("{\n",),
    "=": ("=>", "=="),
    "#": ("#include",),
    "_": ("__init__", "_id"),
    "S": ("SELECT ",),
    "T": ("Traceback (",),
}
_CODE_WORDS = frozenset(("def", "self", "elif", "async", "println", "printf", "stdout", "nullptr", "npm", "kubectl"))
_MATH_MARKS = {
    "\\": ("\\frac", "\\sum", "\\int", "\\sqrt", "\\mathbb", "\\begin{", "\\("),
    "$": ("$$",),
    "^": ("^2", "^n", "^{"),
    "(": ("O(n", "O(log", "O(1"),
}
_MATH_SYMBOLS = frozenset("∑∫∏√≤≥≠≈∈∉∀∃∂∇∞⊆⊂→⇒≡±∧¬")


def features_of(view: TextView) -> list[float]:
    """Return the features of the text *view* was taken of, in the order of ``FEATURE_NAMES``, absent ones as 0."""
    window, lowered, found, tokens, counts = view.window, view.lowered, view.words, view.tokens, view.counts
    ascii_only, beyond = not view.beyond, set(view.beyond)
    # To look for a term that has a character which the text has not costs a search through all of it.
    characters = beyond if view.cjk else set()

    proof = counts[_PROOF] + _terms(lowered, vocabulary.PROOF_TERMS_CJK, characters)
    hard = counts[_HARD_VERB] + _terms(lowered, vocabulary.HARD_TERMS_CJK, characters)
    architecture = counts[_ARCHITECTURE] + _terms(lowered, vocabulary.ARCHITECTURE_TERMS_CJK, characters)
    math_seen = counts[_MATH] + _marks(window, _MATH_MARKS) + len(_MATH_SYMBOLS & beyond)
    code = _marks(window, _CODE_MARKS) + len(_CODE_WORDS & view.vocabulary)
    substance = proof + hard + architecture + math_seen + code
    phatic = bool(found) and len(found) <= PHATIC_WORDS and view.vocabulary <= _PHATIC
    greets = counts[_GREETING] > 0
    commas = sum(map(window.count, _COMMAS[:2] if ascii_only else _COMMAS))
    return [
        math.log2(1.0 + tokens),
        _capped(proof),
        _capped(hard),
        _capped(architecture),
        _capped(math_seen),
        _capped(code),
        _capped(counts[_CONSTRAINT]),
        _capped(counts[_CONDITION]),
        _capped(counts[_REASONING]),
        _capped(max(sum(map(window.count, _QUESTION_MARKS[:1] if ascii_only else _QUESTION_MARKS)) - 1, 0)),
        _capped((len(_LIST_ITEM.findall(f"\n{window}")) + commas) / 2),
        float(phatic and greets),
        float(phatic and not greets),
        float(tokens <= VERY_SHORT_TOKENS and not substance),
        float(bool(found) and found[0] in vocabulary.LOOKUP and tokens <= SHORT_TOKENS and not substance),
        float(bool(found) and counts[_TRANSLATE] > 0 and not proof),
        float(_terms(lowered, vocabulary.CHEAP_TERMS_CJK, characters) > 0),
        math.log1p(_sentences(window, ascii_only)),
        math.log1p(commas),
        math.log1p(counts[_SPEAKER]),
        math.log1p(counts[_CASE]),
    ]


_INDEX = FEATURE_LEXICON.index
_GREETING, _TRANSLATE, _HARD_VERB = _INDEX["greeting"], _INDEX["translate"], _INDEX["hard_verb"]
_PROOF, _MATH, _ARCHITECTURE = _INDEX["proof"], _INDEX["math"], _INDEX["architecture"]
_CONSTRAINT, _CONDITION, _REASONING = _INDEX["constraint"], _INDEX["condition"], _INDEX["reasoning"]
_SPEAKER, _CASE = _INDEX["speaker"], _INDEX["case"]
_PHATIC = vocabulary.GREETING | vocabulary.ACKNOWLEDGEMENT | vocabulary.FILLER


def _marks(text: str, groups: dict[str, tuple[str, ...]]) -> int:
    """Count the marks that occur in *text*."""
    found = 0
    for character, marks in groups.items():
        if character in text:
            found += sum(map(text.__contains__, marks))
    return found


def _sentences(text: str, ascii_only: bool) -> int:
    ends = sum(map(text.replace("\n", " ").count, _SENTENCE_ENDS)) + (text[-1:] in _LAST_MARKS)
    return ends if ascii_only else ends + sum(map(text.count, _SENTENCE_ENDS_CJK))


def _terms(text: str, wanted: tuple[str, ...], characters: set[str]) -> int:
    return sum(term in text for term in wanted if characters.issuperset(term)) if characters else 0


def _capped(count: float) -> float:
    """Bound a count, so that a pasted wall of one kind of word cannot outweigh everything else."""
    return float(count) if count < MAX_COUNT else float(MAX_COUNT)

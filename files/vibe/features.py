"""What can be seen in an ask: named, bounded, cheap numbers. Every operation is linear in the part looked at.

Each feature is 0 where it is absent; what it is worth stands in ``score``.
"""

from __future__ import annotations

import math
import re

from vibe import words
from vibe.tokens import CJK, count_tokens

# Where an ask says what it wants: its beginning and its end. What lies between is mostly pasted material.
HEAD_CHARS, TAIL_CHARS = 3000, 1500
MAX_COUNT = 3
VERY_SHORT_TOKENS = 4.0
SHORT_TOKENS = 14.0
PHATIC_WORDS = 8

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_CJK_TEXT = re.compile(f"[{CJK}]")
_QUESTION = re.compile("[?\uff1f\u061f]+")
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")
_LIST_ITEM = re.compile(r"^[ \t]{0,8}(?:\d{1,2}[.)]|[-*•]|\([a-z0-9]\))[ \t]", re.MULTILINE)
_COMMAS = (",", "\uff0c", "\u3001", ";", "\uff1b", "\u060c")
# Counted as plain text: a pattern with many alternatives is tried at every character and costs twenty times more.
_CODE_MARKS = ("```", "def ", "();", ");\n", "{\n", "};", "=>", "==", "#include", "Traceback (", "SELECT ", "self.")
_LATEX_MARKS = ("\\frac", "\\sum", "\\int", "\\sqrt", "\\mathbb", "\\begin{", "$$", "\\(")
_MATH_MARKS = (*_LATEX_MARKS, "^2", "^n", "^{", "O(n", "O(log", "O(1")
_MATH_SYMBOLS = frozenset("∑∫∏√≤≥≠≈∈∉∀∃∂∇∞⊆⊂→⇒≡±∧¬")


def window_of(text: str) -> str:
    """Return the bounded part of *text* that is looked at: all of it, or its beginning and its end."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


def features_of(text: str) -> dict[str, float]:
    """Return every feature of *text* by name, in a fixed order, absent ones as 0."""
    window = window_of(text)
    lowered = window.lower()
    found = _WORD.findall(lowered)
    vocabulary = set(found)
    has_cjk = not window.isascii() and _CJK_TEXT.search(window) is not None
    tokens = count_tokens(window, len(text))

    proof = _count(vocabulary, words.PROOF) + _terms(lowered, words.PROOF_TERMS_CJK, has_cjk)
    hard = _count(vocabulary, words.HARD_VERB) + _terms(lowered, words.HARD_TERMS_CJK, has_cjk)
    architecture = _count(vocabulary, words.ARCHITECTURE) + _terms(lowered, words.ARCHITECTURE_TERMS_CJK, has_cjk)
    math_seen = _count(vocabulary, words.MATH) + _marks(window, _MATH_MARKS) + _symbols(window)
    code = _marks(window, _CODE_MARKS)
    substance = proof + hard + architecture + math_seen + code
    phatic = bool(found) and len(found) <= PHATIC_WORDS and vocabulary <= _PHATIC
    return {
        "length": math.log2(1.0 + tokens),
        "proof": _capped(proof),
        "hard_verb": _capped(hard),
        "architecture": _capped(architecture),
        "math": _capped(math_seen),
        "code": _capped(code),
        "constraint": _capped(_count(vocabulary, words.CONSTRAINT)),
        "condition": _capped(_count(vocabulary, words.CONDITION)),
        "reasoning": _capped(_count(vocabulary, words.REASONING)),
        "questions": _capped(_questions(window) - 1),
        "enumeration": _capped((len(_LIST_ITEM.findall(window)) + _marks(window, _COMMAS, every=True)) / 2),
        "greeting": float(phatic and bool(vocabulary & words.GREETING)),
        "acknowledgement": float(phatic and not vocabulary & words.GREETING),
        "very_short": float(tokens <= VERY_SHORT_TOKENS and not substance),
        "lookup": float(bool(found) and found[0] in words.LOOKUP and tokens <= SHORT_TOKENS and not substance),
        "translate": float(bool(found) and not vocabulary.isdisjoint(words.TRANSLATE) and not proof),
        "small_talk_cjk": float(_terms(lowered, words.CHEAP_TERMS_CJK, has_cjk) > 0),
    }


_PHATIC = words.GREETING | words.ACKNOWLEDGEMENT | words.FILLER


def _count(vocabulary: set[str], wanted: frozenset[str]) -> int:
    return len(vocabulary & wanted)


def _marks(text: str, marks: tuple[str, ...], *, every: bool = False) -> int:
    """Count the marks that occur in *text*; with *every*, each occurrence of each."""
    return sum(text.count(mark) if every else mark in text for mark in marks)


def _symbols(text: str) -> int:
    return 0 if text.isascii() else len(_MATH_SYMBOLS.intersection(text))


def _questions(text: str) -> int:
    return len(_QUESTION.findall(text)) if any(mark in text for mark in _QUESTION_MARKS) else 0


def _terms(text: str, wanted: tuple[str, ...], has_cjk: bool) -> int:
    return sum(term in text for term in wanted) if has_cjk else 0


def _capped(count: float) -> float:
    """Bound a count, so that a pasted wall of one kind of word cannot outweigh everything else."""
    return min(max(float(count), 0.0), float(MAX_COUNT))

"""Phrases by which an operator declares what is hard and what is easy in a family's traffic."""

from __future__ import annotations

from dataclasses import dataclass

SIDES = ("strong", "cheap")
MAX_PHRASES, MAX_PHRASE_CHARS = 200, 100


@dataclass(frozen=True, slots=True)
class Signals:
    """Phrases for the ``strong`` pool, and for the ``cheap`` one."""

    strong: tuple[str, ...] = ()
    cheap: tuple[str, ...] = ()


NO_SIGNALS = Signals()


def signals_fault(value: object) -> str | None:
    """Return what is wrong with the *value* of ``signals``, None if nothing."""
    if not isinstance(value, dict) or not set(value) <= set(SIDES):
        return f"must be an object of {' and '.join(SIDES)}, each a list of phrases, is {value!r}"
    phrases: list[str] = []
    for side, given in value.items():
        if not isinstance(given, list) or not all(isinstance(phrase, str) for phrase in given):
            return f"{side} must be a list of phrases, is {given!r}"
        wrong = next((phrase for phrase in given if not _is_phrase(phrase)), None)
        if wrong is not None:
            return (
                f"{side} has {wrong!r}: a phrase has 1 to {MAX_PHRASE_CHARS} characters, a letter or digit among them"
            )
        phrases += [phrase.casefold().strip() for phrase in given]
    if len(phrases) > MAX_PHRASES:
        return f"has {len(phrases)} phrases, {MAX_PHRASES} are allowed"
    repeated = next((phrase for phrase in phrases if phrases.count(phrase) > 1), None)
    return None if repeated is None else f"has {repeated!r} twice"


def read_signals(value: dict[str, list[str]]) -> Signals:
    """Return the checked *value* of ``signals``."""
    return Signals(**{side: tuple(phrase.strip() for phrase in phrases) for side, phrases in value.items()})


def _is_phrase(phrase: str) -> bool:
    return len(phrase) <= MAX_PHRASE_CHARS and any(map(str.isalnum, phrase))

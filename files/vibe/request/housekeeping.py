"""Clients' own housekeeping requests, as opposed to a person's: titles, tags, recaps, memories, summaries.

Recognised by what is asked for, not by one product's sentence, which changes with each release. The client's program
writes these prompts, in English. A system prompt counts by its first sentence alone: later mentions of titles or
summaries concern the application's work. A user message also needs a sign that a program wrote it: a quoted
conversation, an answer of one property, room for a few words only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TITLE, COMPACTION = "title", "compaction"

# An order for a thing, with at most five words that describe it: "Generate a concise, sentence-case title".
_DESCRIBED = r"(?: (?!(?:with|and|or|for|about|from|that|to|of|in|then)\b)[\w,'-]+){0,5} "
_ORDER = rf"(?:generate|create|write|suggest|provide|give|produce|output|craft|come up with|extract|assign){_DESCRIBED}"
_TALK = r"(?:conversation|session|chat)\b"
# Each purpose's products and the role that makes them, in search order; headers and log show the
# purpose's name.
_THINGS: Mapping[str, str] = {
    TITLE: r"(?:titles?|headline)",
    "tags": r"(?:tags|keywords)",
    "suggestions": r"(?:(?:follow-?up|follow up|next) (?:questions|prompts|messages)|quick replies)",
    "query": r"(?:search|retrieval|standalone) (?:query|queries|question)",
    "memory": r"memories",
    "commit message": r"commit messages?",
}
_MAKERS: Mapping[str, str] = {
    TITLE: rf"\btitle generator\b|\bnaming an? (?:[\w-]+ )?{_TALK}",
    "query": r"\brephrase the (?:follow[ -]?up )?(?:question|query)\b|\b(?:query|question) (?:rewriter|condenser)\b",
    "memory": r"\bmemory extraction\b|\b(?:personal information|memory) organi[sz]er\b",
    "classification": r"\bnew (?:conversation )?topic\b|\bintent classifier\b",
}
_ORDERS = {purpose: re.compile(rf"\b{_ORDER}{thing}\b") for purpose, thing in _THINGS.items()}
_GENERATORS = {purpose: re.compile(rf"\bgenerates{_DESCRIBED}{thing}\b") for purpose, thing in _THINGS.items()}
_ROLES = {purpose: re.compile(role) for purpose, role in _MAKERS.items()}
# Signs that a conversation is shortened to continue it: a role, or an order.
_COMPACTION_ROLE = re.compile(
    r"(?:you are (?:performing )?an? |<role>\s*)context (?:checkpoint|compaction|summari[sz]ation|extraction)\b"
)
_SUMMARY = re.compile(rf"\b(?:{_ORDER}summary of|summari[sz]e) (?:(?:the|this|our|your) )?(?:\w+ )?{_TALK}")
# What may precede an order in a system prompt.
_ASKING = re.compile(r"(?:your task is to |please |\W?briefly\W? )?")
# How a client's own turns begin that carry the conversation's tools, or start with a quotation.
_BEGINNINGS: Mapping[str, tuple[str, ...]] = {
    "recap": ("The user stepped away and is coming back.",),
    "suggestions": ("[SUGGESTION MODE:",),
    "structured output": ("[structured-output-enforce]",),
    "web page": ("Web page content:\n---",),
    "memory": ("Managed memory has ",),
}
# A conversation that a program quotes, by a tag or below a label.
_TAGGED = re.compile(r"<(?:conversation|chat_history|session|transcript|messages|history|dialogue)>", re.IGNORECASE)
_LABELLED = re.compile(
    r"(?:user prompt|user message|conversation|chat history|transcript|history)[ \t]*:\n", re.IGNORECASE
)
# Properties that are an answer's only one, and their purposes.
_SOLE_PROPERTIES = {
    "title": TITLE,
    "tags": "tags",
    "follow_ups": "suggestions",
    "queries": "query",
    "commit_message": "commit message",
}
# The name of a session; other answers may also have it as their only property.
_NAME = "name"
FEW_TOKENS = 64
_HEAD_CHARS, _TAIL_CHARS = 1000, 600
_SYSTEM_CHARS = 300
_SENTENCE_END = re.compile(r"[.!?](?:\s|\Z)|\n\s*\n")


def purpose_of_system(text: str) -> str | None:
    """Return the purpose that the first sentence of the system prompt *text* states, None for any other."""
    beginning = text.lstrip()[:_SYSTEM_CHARS].lower()
    end = _SENTENCE_END.search(beginning)
    sentence = beginning if end is None else beginning[: end.start()]
    asked = _ASKING.match(sentence)
    order = 0 if asked is None else asked.end()
    if _COMPACTION_ROLE.match(sentence) or _SUMMARY.match(sentence, order):
        return COMPACTION
    return (
        next((purpose for purpose, pattern in _ORDERS.items() if pattern.match(sentence, order)), None)
        or _found(_GENERATORS, sentence)
        or _found(_ROLES, sentence)
    )


def purpose_of_prompt(prompt: str, properties: frozenset[str], most_tokens: int | None) -> str | None:
    """Return the purpose of *prompt*, sent without tools, None where a person may have written it.

    *properties* are those of the answer's schema, *most_tokens* is how long the answer may be.
    """
    ends = _ends_of(prompt)
    if len(properties) == 1:
        (sole,) = properties
        if sole in _SOLE_PROPERTIES:
            return _SOLE_PROPERTIES[sole]
        if sole == _NAME and _is_quoted(ends):
            return TITLE
    is_short = most_tokens is not None and most_tokens <= FEW_TOKENS
    return _purpose_in(ends) if is_short or _is_quoted(ends) else None


def purpose_of_turn(prompt: str, *, is_opening: bool) -> str | None:
    """Return the purpose that the words of *prompt* state, with tools or without; *is_opening*: nothing came before."""
    for purpose, beginnings in _BEGINNINGS.items():
        if prompt.startswith(beginnings):
            return purpose
    return COMPACTION if _shortens(_ends_of(prompt), is_summary=not is_opening) else None


def _purpose_in(prompt: str) -> str | None:
    """Return the purpose that *prompt* has anywhere, None for any other."""
    if _shortens(prompt, is_summary=True):
        return COMPACTION
    lowered = prompt.lower()
    return _found(_ORDERS, lowered) or _found(_ROLES, lowered)


def _found(patterns: Mapping[str, re.Pattern[str]], text: str) -> str | None:
    return next((purpose for purpose, pattern in patterns.items() if pattern.search(text)), None)


def _is_quoted(text: str) -> bool:
    return ("<" in text and _TAGGED.search(text) is not None) or (":\n" in text and _LABELLED.search(text) is not None)


def _shortens(text: str, *, is_summary: bool) -> bool:
    """Whether *text* asks to shorten a conversation; an order to sum it up counts where *is_summary*."""
    # Searched first: most prompts have neither word, and patterns without regard to case are slow.
    lowered = text.lower()
    if "context " in lowered and _COMPACTION_ROLE.match(lowered.lstrip()):
        return True
    return is_summary and "summar" in lowered and _SUMMARY.search(lowered) is not None


def _ends_of(prompt: str) -> str:
    if len(prompt) <= _HEAD_CHARS + _TAIL_CHARS:
        return prompt
    return f"{prompt[:_HEAD_CHARS]}\n{prompt[-_TAIL_CHARS:]}"

"""What clients ask for their own housekeeping, beside what a person asks: titles, tags, recaps, memories, summaries.

Recognised by what is asked for, not by one product's sentence, which changes with each release. The client's program
writes these prompts, in English. A purpose in a system prompt counts by itself; one in a user message also needs a sign
that a program wrote it: a quoted conversation, an answer of one property, room for a few words only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TITLE, COMPACTION = "title", "compaction"

# A sentence of one of these prompts does not go beyond its full stop or line.
_WITHIN = r"[^.?!\n]{0,80}\b"
_MAKE = r"\b(?:generate|create|write|suggest|provide|give|produce|output|craft|come up with|extract|assign)\b"
_TALK = r"(?:conversation|chat|session|thread)\b"
# By purpose, in the order in which they are looked for: the name of the purpose is what headers and log say.
_PURPOSES: Mapping[str, str] = {
    TITLE: rf"{_MAKE}{_WITHIN}(?:titles?|headline|name)\b|\bnaming a{_WITHIN}{_TALK}|\btitle generator\b",
    "tags": rf"{_MAKE}{_WITHIN}(?:tags|keywords|labels)\b",
    "suggestions": rf"{_MAKE}{_WITHIN}(?:follow-?ups?|follow up|next (?:questions|prompts|messages)|quick replies)\b"
    r"|\bwhat the user might\b",
    "query": r"\b(?:standalone|stand-alone) (?:question|query)\b|\brephrase the (?:follow|question|query)|"
    rf"{_MAKE}{_WITHIN}(?:search|retrieval) quer(?:y|ies)\b|\b(?:query|question) (?:rewriter|rewriting|condenser)\b",
    "memory": rf"\bmemory extraction\b|\bmanaged memory\b|{_MAKE}{_WITHIN}memories\b"
    r"|\b(?:personal information|memory) organi[sz]er\b",
    "classification": r"\bnew (?:conversation )?topic\b|\bintent classifier\b",
    "commit message": rf"{_MAKE}{_WITHIN}commit messages?\b|\bgenerates\b{_WITHIN}commit messages\b",
}
# What shortens a conversation to go on with it.
_COMPACTION = re.compile(r"\bcontext (?:checkpoint|compaction|summari[sz]ation|extraction)\b")
# A person may ask for the same: it continues the conversation all the same.
_SUMMARY = re.compile(
    r"\b(?:summary of|summari[sz](?:e|ing)) (?:the |this |our |your )?(?:\w+ ){0,2}(?:conversation|session|chat)\b"
)
_BY_PURPOSE = {purpose: re.compile(pattern, re.IGNORECASE) for purpose, pattern in _PURPOSES.items()}
# How whole turns of a client begin that come with the conversation's tools, or begin with what they quote.
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
# Properties of an answer that has no other, and their purposes.
_SOLE_PROPERTIES = {
    "title": TITLE,
    "tags": "tags",
    "follow_ups": "suggestions",
    "suggestions": "suggestions",
    "queries": "query",
    "commit_message": "commit message",
}
# The name of a session, which other answers may have alone as well.
_NAME = "name"
FEW_TOKENS = 64
_HEAD_CHARS, _TAIL_CHARS = 1000, 600
_SYSTEM_CHARS = 400


def purpose_of_system(text: str) -> str | None:
    """Return the purpose that the system prompt *text* states at its beginning, None for any other."""
    return _purpose_in(text[:_SYSTEM_CHARS])


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
    """Return the purpose of *prompt* that its words tell, with tools or without; *is_opening*: nothing came before."""
    for purpose, beginnings in _BEGINNINGS.items():
        if prompt.startswith(beginnings):
            return purpose
    return COMPACTION if _shortens(_ends_of(prompt), is_summary=not is_opening) else None


def _purpose_in(text: str) -> str | None:
    if _shortens(text, is_summary=True):
        return COMPACTION
    return next((purpose for purpose, pattern in _BY_PURPOSE.items() if pattern.search(text)), None)


def _is_quoted(text: str) -> bool:
    return ("<" in text and _TAGGED.search(text) is not None) or (":\n" in text and _LABELLED.search(text) is not None)


def _shortens(text: str, *, is_summary: bool) -> bool:
    """Whether *text* asks to shorten a conversation; a summary of it counts where *is_summary*."""
    # Looked for first: most prompts have neither word, and patterns without regard to case are slow.
    lowered = text.lower()
    if "context " in lowered and _COMPACTION.search(lowered):
        return True
    return is_summary and "summar" in lowered and _SUMMARY.search(lowered) is not None


def _ends_of(prompt: str) -> str:
    if len(prompt) <= _HEAD_CHARS + _TAIL_CHARS:
        return prompt
    return f"{prompt[:_HEAD_CHARS]}\n{prompt[-_TAIL_CHARS:]}"

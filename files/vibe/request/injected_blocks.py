"""Remove what a client's program writes into a person's message: reminders, environment, IDE context, format rules.

Such text comes with every turn and is unrelated to how hard the prompt is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# As sent by Claude Code, Codex CLI and the common editor agents. Tags that hold the person's own words
# (Cline's <task>, Claude Code's <command-args>) are not among them.
INJECTED_TAGS = (
    "system-reminder",
    "system_reminder",
    "environment_context",
    "environment_details",
    "user_instructions",
    "INSTRUCTIONS",
    "permissions instructions",
    "collaboration_mode",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "local-command-caveat",
    "local-command-stdout",
    "local-command-stderr",
    "command-name",
    "command-message",
    "task-notification",
    "turn_aborted",
    "user_shell_command",
    "additional_data",
    "attached_files",
)
_OPENING = re.compile(rf"<({'|'.join(map(re.escape, INJECTED_TAGS))})(?:\s[^<>]{{0,200}})?>")
# An opening tag is tried at every <: of these, so many at either end.
_MOST_TAGS = 1000
# What a client puts in place of a shortened conversation: Claude Code, Codex CLI.
_SUMMARIES = (
    "This session is being continued from a previous conversation",
    "Another language model started to solve this problem and produced a summary",
)
# Where the rules begin that aider appends to each message, by its formats of edits; they go to the end.
_RULES = (
    "\n\nTo suggest changes to a file you MUST return the entire content",
    "\n\n# *SEARCH/REPLACE block* Rules:",
    "\n\n# File editing rules:",
    "\n\n# V4A Diff Format",
)
# They are searched in so many of the last characters, and a summary at so many of the first.
_RULES_CHARS, _BEGINNING_CHARS = 12_000, 200
# Claude Code: a command without arguments.
_NO_ARGUMENTS = "<command-args></command-args>"
# Codex writes this heading above its <INSTRUCTIONS> block.
_HEADING = re.compile(r"\A\s*# AGENTS\.md instructions for [^\n]{0,1000}(?:\n|\Z)")


def is_summary(text: str) -> bool:
    """Whether *text* is a client's summary of the conversation, not a prompt."""
    return text[:_BEGINNING_CHARS].lstrip().startswith(_SUMMARIES)


def without_injected(text: str) -> str:
    """Return *text* without injected blocks and rules, stripped. Linear in its length, and quick for hostile text too.

    A tag that is never closed is the person's own writing and stays; so does what opens in the middle of a text with
    more than twice ``_MOST_TAGS`` of ``<``, which is pasted markup.
    """
    text = _before_rules(text)
    if "<" not in text:
        return text.strip()
    kept: list[str] = []
    unclosed: set[str] = set()
    position = 0
    for opening in _openings(text):
        tag = opening.group(1)
        # A tag without an end is searched once, not once per opening: that keeps hostile text linear.
        if opening.start() < position or tag in unclosed:
            continue
        closing = f"</{tag}>"
        end = text.find(closing, opening.end())
        if end < 0:
            unclosed.add(tag)
            continue
        kept.append(text[position : opening.start()])
        position = end + len(closing)
    kept.append(text[position:])
    left = "".join(kept).replace(_NO_ARGUMENTS, "")
    # Not sub(): that tries an anchored pattern at every character.
    heading = _HEADING.match(left)
    return left[heading.end() :].strip() if heading else left.strip()


def _before_rules(text: str) -> str:
    """Return *text* up to the rules that a client appended."""
    first = max(len(text) - _RULES_CHARS, 0)
    starts = [text.find(rules, first) for rules in _RULES]
    found = [start for start in starts if start >= 0]
    return text[: min(found)] if found else text


def _openings(text: str) -> Iterator[re.Match[str]]:
    """Yield the opening tags among the first and the last ``_MOST_TAGS`` of ``<`` in *text*."""
    first_end = _after(_MOST_TAGS, text)
    yield from _OPENING.finditer(text, 0, first_end)
    if first_end < len(text):
        last_start = len(text)
        for _ in range(_MOST_TAGS):
            found = text.rfind("<", first_end, last_start)
            if found < 0:
                break
            last_start = found
        yield from _OPENING.finditer(text, last_start)


def _after(count: int, text: str) -> int:
    """Return where in *text* the search for opening tags ends: before the ``<`` after *count* of them."""
    position = -1
    for _ in range(count + 1):
        position = text.find("<", position + 1)
        if position < 0:
            return len(text)
    return position

"""Remove what a client's tools write into a person's message: reminders, environment, IDE context.

Such blocks come with every turn and say nothing about how hard the ask is.
"""

from __future__ import annotations

import re

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
# Codex writes this heading above its <INSTRUCTIONS> block.
_HEADING = re.compile(r"\A\s*# AGENTS\.md instructions for [^\n]{0,1000}(?:\n|\Z)")


def without_injected(text: str) -> str:
    """Return *text* without injected blocks, stripped. Linear in its length.

    A tag that is never closed is the person's own writing and stays.
    """
    if "<" not in text:
        return text.strip()
    kept: list[str] = []
    unclosed: set[str] = set()
    position = 0
    for opening in _OPENING.finditer(text):
        tag = opening.group(1)
        # A tag without an end is looked for once, not once per opening: that keeps hostile text linear.
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
    return _HEADING.sub("", "".join(kept)).strip()

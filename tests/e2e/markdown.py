"""The command blocks of a Markdown page, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SHELL_FENCES = ("sh", "bash", "shell", "console", "")
_BLOCK = re.compile(
    r"(?:^<!-- not run by the test of this page: (?P<reason>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Box-drawing characters: a block without a language that contains them is a diagram, not a command.
_DRAWING = re.compile("[─│►▼└┐┘┌├┤◄▲…]|-> |<id>")


@dataclass(frozen=True)
class Block:
    """One fenced block of commands; ``reason`` says why it must not run; "" if it may."""

    page: str
    line: int
    text: str
    reason: str

    def __str__(self) -> str:
        """Return the block's place as editors read it: file and line."""
        return f"{self.page}:{self.line}"


def command_blocks(path: Path, root: Path) -> list[Block]:
    """Return the blocks of *path* that a reader would paste into a shell."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(
            page=str(path.relative_to(root)),
            line=text.count("\n", 0, found.start("text")),
            text=found["text"],
            reason=found["reason"] or "",
        )
        for found in _BLOCK.finditer(text)
        if found["language"] in SHELL_FENCES and (found["language"] or not _DRAWING.search(found["text"]))
    ]

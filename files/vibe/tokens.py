"""How long a text is, in tokens, fairly for every script, without a tokenizer.

Characters under-count Chinese, Japanese and Korean by a factor of three to five: such prompts would all look short.
"""

from __future__ import annotations

import re

CHARS_PER_TOKEN_ASCII = 4.0
# Cyrillic, Greek, Arabic, Devanagari, Thai, accented letters: between the two.
CHARS_PER_TOKEN_OTHER = 2.2
CHARS_PER_TOKEN_CJK = 1.3
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_CJK_CHAR = re.compile(f"[{CJK}]")
_ASCII_CHAR = re.compile(r"[\x00-\x7f]")


def count_tokens(window: str, total_chars: int) -> float:
    """Estimate the tokens of a text of *total_chars* characters from *window*, a part of it (or all)."""
    if not window:
        return 0.0
    if window.isascii():
        tokens = len(window) / CHARS_PER_TOKEN_ASCII
    else:
        ascii_chars = len(_ASCII_CHAR.findall(window))
        cjk_chars = len(_CJK_CHAR.findall(window))
        other_chars = len(window) - ascii_chars - cjk_chars
        tokens = (
            ascii_chars / CHARS_PER_TOKEN_ASCII + cjk_chars / CHARS_PER_TOKEN_CJK + other_chars / CHARS_PER_TOKEN_OTHER
        )
    return tokens * total_chars / len(window)

"""Estimate the length of a text in tokens, fairly for every script, without a tokenizer.

Characters under-count Chinese, Japanese and Korean by a factor of three to five: such prompts would all look short.
"""

from __future__ import annotations

import re

CHARS_PER_TOKEN_ASCII = 4.0
# Cyrillic, Greek, Arabic, Devanagari, Thai, accented letters: between the two.
CHARS_PER_TOKEN_OTHER = 2.2
CHARS_PER_TOKEN_CJK = 1.3
BYTES_PER_TOKEN = 4.0
_SAMPLE_CHARS = 4096
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
CJK_CHAR = re.compile(f"[{CJK}]")
_CJK_RUN = re.compile(f"[{CJK}]+")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def beyond_ascii(window: str) -> str:
    """Return the characters of *window* that are not ASCII."""
    return "" if window.isascii() else "".join(_BEYOND_ASCII.findall(window))


def count_cjk(beyond: str) -> int:
    """Count the Chinese, Japanese and Korean characters in *beyond*."""
    return sum(map(len, _CJK_RUN.findall(beyond))) if beyond else 0


def count_tokens(window_chars: int, beyond_chars: int, cjk_chars: int, total_chars: int) -> float:
    """Estimate the tokens of a text of *total_chars* characters from the counts of a window of it (or all).

    *cjk_chars* are among the *beyond_chars*, those that are not ASCII, and these among the *window_chars*.
    """
    if not window_chars:
        return 0.0
    tokens = (
        (window_chars - beyond_chars) / CHARS_PER_TOKEN_ASCII
        + cjk_chars / CHARS_PER_TOKEN_CJK
        + (beyond_chars - cjk_chars) / CHARS_PER_TOKEN_OTHER
    )
    return tokens * total_chars / window_chars


def estimate_tokens(text: str) -> float:
    """Estimate the tokens of *text* by its length alone, for sums over a whole conversation.

    Bytes of UTF-8 are fair to every script: about four a token for ASCII, and three for a Chinese character, of which
    1.3 make a token. A long text of other scripts is judged by its beginning.
    """
    if text.isascii():
        return len(text) / BYTES_PER_TOKEN
    head = text[:_SAMPLE_CHARS]
    return len(head.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN * len(text) / len(head)

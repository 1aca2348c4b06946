"""JSON read strictly: a file, one line of JSON lines, a number; each fault is one sentence.

Whoever reads a file raises an error of its own kind, so the reader takes a function that makes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeGuard

Pairs = Callable[[list[tuple[str, object]]], object]


def read_json(path: Path, fault: Callable[[str], Exception], object_pairs: Pairs | None = None) -> object:
    """Return the document at *path*; *object_pairs* makes its objects, as ``json.loads`` has it.

    Raises:
        Exception: what *fault* makes of the sentence that says why the file cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=object_pairs)
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or type(error).__name__}") from None
    except (ValueError, RecursionError) as error:
        raise fault(f"is not valid JSON: {error}") from None


def read_line(line: bytes) -> dict[str, object]:
    """Return the object on *line* of a file of JSON lines.

    Raises:
        ValueError: it is not UTF-8, not JSON, or not an object. The caller adds the line's number.
    """
    try:
        entry = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not valid JSON: {error}") from None
    if not isinstance(entry, dict):
        raise ValueError("must be one JSON object")
    return entry


def is_number(value: object) -> TypeGuard[float]:
    """Return whether *value*, from parsed JSON, is a finite number; unlike in Python, a bool is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

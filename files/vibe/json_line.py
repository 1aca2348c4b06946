"""One line of a file of JSON lines, each an object; what is wrong with one is said without its number."""

from __future__ import annotations

import json


def read_line(line: bytes) -> dict[str, object]:
    """Return the object on *line*.

    Raises:
        ValueError: it is no UTF-8, no JSON, or no object.
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

"""What counts as a number in files that are read strictly."""

from __future__ import annotations

import math
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """Say whether *value*, of parsed JSON, is a finite number. To Python a bool is an int; here it is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

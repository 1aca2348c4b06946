"""The verdict of a rule: which side of the family serves, and why."""

from __future__ import annotations

from dataclasses import dataclass

# SAFE leaves the virtual model's name in place, which LiteLLM sends to the family's safe pool.
# PASS decides nothing: its reasons are reported with those of the rule that decides.
CHEAP, STRONG, SAFE, PASS = "cheap", "strong", "safe", "pass"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``side``: CHEAP, STRONG, SAFE or PASS; ``reasons``: for log and headers; ``score``: 0 to 100, if there is one.

    ``is_kept``: the conversation stays on that side (CHEAP or STRONG) from now on; ``escalates``: and stays there.
    """

    side: str
    reasons: tuple[str, ...]
    score: float | None = None
    is_kept: bool = False
    escalates: bool = False

"""What several tests of the plug-in need: routes as a deployment renders them, and the two prompts that must differ."""

from __future__ import annotations

import copy
from typing import Any

HI = "hi"
HARD = (
    "Design a fault-tolerant, multi-region payment system: it must survive network partitions without losing a "
    "transaction. Compare consistency models and justify the trade-offs."
)
_ROUTES: dict[str, Any] = {
    "version": 1,
    "families": {
        name: {
            "virtual_model": f"{name}-auto",
            "cheap_pool": f"pool-{name}-mini",
            "strong_pool": f"pool-{name}-standard",
            "safe_pool": f"pool-{name}-standard",
            "threshold": 50,
            "routing": "active",
            "rules": ["explicit", "ability", "background", "escalation", "inherit", "no-prompt", "score"],
            "explicit_choice": ["header", "metadata", "tag"],
            "move_up_margin": 5,
            "move_down_margin": 10,
            "escalate_after": 3,
            "affinity": "priced",
            "cache_life": 300,
            "strong_share": None,
            "adapter": None,
        }
        for name in ("chat", "codex", "claude")
    },
    "pools": [f"pool-{name}-{size}" for name in ("chat", "codex", "claude") for size in ("mini", "standard")],
    "models": {},
    "records": 0,
    "gate": {},
}


def routes_document() -> dict[str, Any]:
    """Return a routes document of one's own, free to be spoilt."""
    return copy.deepcopy(_ROUTES)


# Of the recorded requests (tests/fixtures/clients), by file and place in it, those that are a client's own.
BACKGROUND_TURNS = {
    "claude-code/title-1": "title",
    "claude-code/compaction-3": "compaction",
    "claude-code/compaction-4": "compaction",
    "codex/title-1": "title",
    "codex/compaction-1": "compaction",
}

"""The request of ./deploy.sh rotate, and what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from preflight_rules.finding import Finding

FILES = ("master_key", "redis_password")
ALL = (*FILES, "certificate")


def _findings(rotate: object, keep_days: object, secrets_dir: str) -> Iterator[Finding]:
    if not isinstance(rotate, (list, tuple)) or any(name not in ALL for name in rotate):
        yield Finding(
            subject="rotate",
            wrong=f"{json.dumps(rotate)} is not a list of {', '.join(ALL)}",
            fix="""-e '{"rotate": ["redis_password"]}', or leave it out to rotate all""",
        )
    else:
        for name in FILES:
            if name in rotate and not Path(secrets_dir, name).exists():
                yield Finding(
                    subject="rotate",
                    wrong=f"this toolkit did not generate {name}: there is no {secrets_dir}/{name}",
                    fix="change it where it comes from, and run ./deploy.sh",
                )
    if not re.fullmatch(r"[0-9]{1,3}", str(keep_days)):
        yield Finding(
            subject="keep_days",
            wrong=f"{json.dumps(keep_days)} is not a number of days from 0 to 999",
            fix="-e keep_days=7",
        )


def rotation_findings(rotate: object, keep_days: object, secrets_dir: str) -> list[Finding]:
    """Return what is wrong with a request to rotate the secrets in *rotate* that *secrets_dir* has."""
    return list(_findings(rotate, keep_days, secrets_dir))

"""The command ``records``: the recorded decisions of the deployment, each with the judgement of its answer.

Runs in a slot's container, which knows Redis and its password: ``./deploy.sh report`` asks it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vibe.feedback.decision_records import records_of
from vibe.memory.redis_store import ENTRIES, FIELD, OUTCOMES
from vibe.routes.family import Family
from vibe.scoring.scorer import load_prior
from vibe.strict_json import read_json

CONFIG_NAME, SECRETS_FILE = "config.yaml", Path("/run/secrets/vibe.json")
# Entries that are read at a time.
_PAGE = 1000


class StreamsError(RuntimeError):
    """The records cannot be read; the message says why and the fix."""


def records(family: Family, folder: Path) -> int:
    """Print the decisions of *family* as JSON lines (``decision_records``) and return 0; *folder* is the release's.

    Raises:
        StreamsError: this is not a slot's container, or Redis does not answer.
    """
    client, prior = _client(folder), load_prior()
    try:
        found = records_of(_lines(client, ENTRIES), _lines(client, OUTCOMES), family.name, prior)
    except Exception as error:
        # The client's own words may quote its address.
        raise StreamsError(f"records: Redis does not answer: {type(error).__name__}; ./deploy.sh doctor") from None
    for record in found:
        print(json.dumps(record))
    return 0


def _client(folder: Path) -> Any:
    try:
        import redis
        import yaml

        settings = yaml.safe_load((folder / CONFIG_NAME).read_text(encoding="utf-8"))["general_settings"]
        where = settings["coordination_redis"]
        secrets = read_json(SECRETS_FILE, StreamsError)
        password = secrets["REDIS_PASSWORD"] if isinstance(secrets, dict) else None
    except (ImportError, OSError, KeyError, StreamsError) as error:
        raise StreamsError(
            f"records: this is no slot's container ({type(error).__name__}); ./deploy.sh report asks one"
        ) from None
    return redis.Redis(where["host"], where["port"], password=password, decode_responses=True, socket_timeout=10)


def _lines(client: Any, stream: str) -> list[str]:
    """Return all entries of *stream*, oldest first."""
    found: list[str] = []
    start = "-"
    while page := client.xrange(stream, start, "+", count=_PAGE):
        found += [fields[FIELD] for _, fields in page if FIELD in fields]
        start = f"({page[-1][0]}"
    return found

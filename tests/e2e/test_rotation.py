"""Secrets are rotated under load: no request is dropped, and leaked secrets are useless afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from e2e.load import traffic_to
from e2e.machine import PROJECT, chat, client_settings, run

SECRETS = PROJECT / "inventory/local/.secrets"
NAMES = ("master_key", "redis_password")


def _secrets() -> dict[str, str]:
    return {name: (SECRETS / name).read_text(encoding="utf-8") for name in NAMES}


def _redis_takes(password: str) -> bool:
    """Return whether Redis accepts a password, which is passed on standard input, not in the process list."""
    script = "REDISCLI_AUTH=$(cat) redis-cli --no-auth-warning ping"
    command = ("docker", "exec", "--interactive", "vibe-redis", "sh", "-c", script)
    return run(*command, given=password.strip()).stdout.strip() == "PONG"


@pytest.fixture
def before(deployed: dict[str, str]) -> Iterator[dict[str, str]]:
    """The previous secrets, restored afterwards for other tests."""
    secrets = _secrets()
    yield secrets
    for name, content in secrets.items():
        (SECRETS / name).write_text(content, encoding="utf-8")
    (SECRETS / "former_keys.json").unlink(missing_ok=True)
    run("./deploy.sh")


@pytest.mark.slow
def test_secrets_are_made_anew_without_a_lost_request(deployed: dict[str, str], before: dict[str, str]) -> None:
    with traffic_to(deployed) as traffic:
        done = run("./deploy.sh", "rotate")
    # The previous key has not expired during the traffic.
    assert not traffic.failed, traffic.story()
    after = _secrets()
    assert all(after[name] != before[name] for name in NAMES)
    told = done.stdout + done.stderr
    assert not any(secret.strip() in told for secret in (*before.values(), *after.values()))

    new = client_settings()
    assert new["OPENAI_API_KEY"] != deployed["OPENAI_API_KEY"]
    assert {chat(settings, "hi").status_code for settings in (deployed, new)} == {200}
    assert _redis_takes(after["redis_password"])
    assert not _redis_takes(before["redis_password"])

    run("./deploy.sh", "rollback")
    assert chat(deployed, "hi").status_code == 200
    assert _redis_takes(before["redis_password"]), "the release that serves again was made with it"
    run("./deploy.sh")
    assert not _redis_takes(before["redis_password"])

    former = SECRETS / "former_keys.json"
    [key] = json.loads(former.read_text(encoding="utf-8"))
    former.write_text(json.dumps([{**key, "expires": "2026-01-01"}]), encoding="utf-8")
    run("./deploy.sh", "--tags", "preflight,gateway")
    refused = chat(deployed, "hi")
    assert refused.status_code == 401
    assert "ended at 2026-01-01" in refused.text
    assert chat(new, "hi").status_code == 200


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ('{"rotate": ["passwords"]}', 'rotate: ["passwords"] is not a list of'),
        ('{"rotate": "master_key"}', 'rotate: "master_key" is not a list of'),
        ('{"rotate": {"master_key": true}}', "is not a list of"),
        ("keep_days=soon", 'keep_days: "soon" is not a number of days'),
        ("keep_days=-1", 'keep_days: "-1" is not a number of days'),
        ("vibe_secrets_dir=/nowhere", "this toolkit did not generate master_key"),
    ],
)
def test_what_cannot_be_rotated_is_refused_and_nothing_is_changed(
    deployed: dict[str, str], asked: str, words: str
) -> None:
    secrets = _secrets()
    refused = run("./deploy.sh", "rotate", "-e", asked, check=False)
    told = " ".join(refused.stdout.split())
    assert refused.returncode != 0
    assert words in told
    assert "Fix: " in told
    assert _secrets() == secrets

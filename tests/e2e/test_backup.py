"""A backup restores what a deployment lost, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.machine import PROJECT, Run, chat, client_settings, run

INVENTORY = PROJECT / "inventory/local"
SECRETS = INVENTORY / ".secrets"
DATA = Path("/opt/litellm-vibe-router/redis/data")
RECORD = Path("/opt/litellm-vibe-router/deployment/audit.jsonl")
BACKUPS = PROJECT / "backups/local"


def _redis(*words: str) -> str:
    script = 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli "$@"'
    return run("docker", "exec", "vibe-redis", "sh", "-c", script, "sh", *words).stdout.strip()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificate and key of the backups, backup.pem and backup.key, and another key."""
    folder = tmp_path_factory.mktemp("keys")
    words = ("openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "2", "-subj", "/CN=backup")
    run(*words, "-keyout", str(folder / "backup.key"), "-out", str(folder / "backup.pem"))
    run("openssl", "genpkey", "-algorithm", "RSA", "-out", str(folder / "other.key"))
    return folder


@pytest.fixture(scope="module")
def backup(deployed: dict[str, str], keys: Path) -> Iterator[Path]:
    """A backup of this machine's deployment, with one more key in Redis."""
    before = set(BACKUPS.glob("*"))
    _redis("set", "planted", "here")
    run("./deploy.sh", "backup", "--certificate", str(keys / "backup.pem"))
    [made] = set(BACKUPS.glob("*")) - before
    yield made
    made.unlink()


def _restore(file: Path, key: Path, *words: str, check: bool = True) -> Run:
    return run("./deploy.sh", "restore", "--file", str(file), "--key", str(key), *words, check=check)


def _decrypted() -> list[Path]:
    return list(Path("/tmp").glob("vibe-backup-*"))


def test_a_backup_is_for_its_owner_and_has_no_secret_in_the_clear(backup: Path) -> None:
    assert backup.stat().st_mode & 0o077 == 0
    assert not (DATA / "backup.rdb").exists()
    assert not _decrypted()
    content = backup.read_bytes()
    for secret in ("master_key", "redis_password"):
        assert (SECRETS / secret).read_bytes().strip() not in content


@pytest.mark.parametrize("certificate", ["", "/nowhere", "/etc/hostname"])
def test_a_backup_is_encrypted_or_not_made(deployed: dict[str, str], certificate: str) -> None:
    lines = RECORD.read_text(encoding="utf-8")
    refused = run("./deploy.sh", "backup", "--certificate", str(certificate), check=False)
    assert refused.returncode != 0
    assert "Fix: openssl req" in refused.stdout.replace("\n", " ")
    assert RECORD.read_text(encoding="utf-8") == lines, "the host was touched"
    assert not _decrypted()


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("no file", "backup_file: no file /nowhere on the control node"),
        ("no key", "backup_key: no file /nowhere on the control node"),
        ("another's key", "cannot be decrypted with"),
        ("damaged", "is damaged"),
        ("of another environment", "is of the environment local"),
    ],
)
def test_a_backup_that_cannot_be_trusted_changes_nothing(
    backup: Path, keys: Path, tmp_path: Path, case: str, words: str
) -> None:
    damaged = tmp_path / "damaged"
    content = bytearray(backup.read_bytes())
    content[-40] ^= 1
    damaged.write_bytes(content)
    key = keys / "backup.key"
    refused = {
        "no file": lambda: _restore(Path("/nowhere"), key, check=False),
        "no key": lambda: _restore(backup, Path("/nowhere"), check=False),
        "another's key": lambda: _restore(backup, keys / "other.key", check=False),
        "damaged": lambda: _restore(damaged, key, check=False),
        "of another environment": lambda: _restore(backup, key, "-i", "inventory/example", check=False),
    }[case]()
    assert refused.returncode != 0
    told = " ".join(refused.stdout.split())
    assert words in told
    assert "Fix: " in told
    assert "Restore what is missing of the inventory" not in refused.stdout
    assert not _decrypted()


def test_what_was_lost_comes_back_and_what_is_there_stays(
    backup: Path, keys: Path, tmp_path: Path, deployed: dict[str, str]
) -> None:
    kept = {path.name: path.read_bytes() for path in SECRETS.iterdir() if path.is_file()}
    record = RECORD.read_text(encoding="utf-8").splitlines()
    shutil.move(SECRETS, tmp_path / "secrets")
    run("docker", "rm", "--force", "vibe-redis")
    shutil.rmtree(DATA.parent)
    RECORD.unlink()
    models = INVENTORY / "group_vars/all/models.yml"
    edited = models.read_text(encoding="utf-8") + "# edited since\n"
    models.write_text(edited, encoding="utf-8")

    _restore(backup, keys / "backup.key")

    assert {path.name: path.read_bytes() for path in SECRETS.iterdir() if path.is_file()} == kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in SECRETS.iterdir())
    assert models.read_text(encoding="utf-8") == edited
    models.write_text(edited.removesuffix("# edited since\n"), encoding="utf-8")
    assert _redis("get", "planted") == "here"
    # The backup's own line was written after it.
    assert RECORD.read_text(encoding="utf-8").splitlines()[: len(record) - 2] == record[: len(record) - 2]
    assert chat(client_settings(), "hi").status_code == 200
    assert not _decrypted()
    _redis("del", "planted")

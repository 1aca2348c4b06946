"""A generated certificate that is due for renewal changes the fingerprint, although no file changed."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROJECT = Path(__file__).resolve().parents[2]


def _certificate(path: Path, days: int) -> None:
    """Write a certificate that expires in *days*."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    made = builder.not_valid_after(now + datetime.timedelta(days=days, hours=1)).sign(key, hashes.SHA256())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _due(folder: Path) -> list[str]:
    """Return the certificates' part of the fingerprint, from playbooks/vars/fingerprint.yml."""
    words = [
        str(PROJECT / ".venv-test/bin/ansible"),
        "local",
        "--inventory",
        "inventory/local",
        "--module-name",
        "debug",
    ]
    words += ["--args", "var=vibe_certificates_due", "--extra-vars", f"@{PROJECT / 'playbooks/vars/fingerprint.yml'}"]
    words += ["--extra-vars", json.dumps({"gateway_tls_dir": str(folder), "vibe_network": "vibe"})]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
    }
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=PROJECT, env=environment)
    found: list[str] = json.loads(done.stdout.partition("=>")[2])["vibe_certificates_due"]
    return found


@pytest.mark.parametrize(
    ("own", "acme", "due"), [(31, 29, ["acme/gateway.pem"]), (29, 31, ["gateway.pem"]), (31, 31, [])]
)
def test_what_ends_within_the_days_of_renewal_is_due(own: int, acme: int, due: list[str], tmp_path: Path) -> None:
    _certificate(tmp_path / "gateway.pem", own)
    _certificate(tmp_path / "acme/gateway.pem", acme)
    assert _due(tmp_path) == [f"{tmp_path}/{name}" for name in due]


def test_where_there_is_no_certificate_none_is_due(tmp_path: Path) -> None:
    assert _due(tmp_path) == []

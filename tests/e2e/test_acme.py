"""A certificate by ACME: ordered, validated through the gateway, served and renewed; a refusal leaves the old one.

The authority is pebble, Let's Encrypt's test server, on this machine's loopback; it validates through the gateway.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cryptography import x509
from e2e.machine import chat, client_settings, run, wait_for
from e2e.throwaway import bare_image

AUTHORITY = "vibe-test-pebble"
DIRECTORY, MANAGEMENT = "https://127.0.0.1:14000/dir", "https://127.0.0.1:15000"
# The port of pebble's own configuration for validation.
PROOF_PORT = 5002
# The lifetime of pebble's certificates, and renewal days for which such a certificate is young, and old.
LASTS_DAYS, YOUNG, OLD = 20, 10, 25
STARTED_SECONDS = 60

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Acme:
    """The options of a deployment with ACME, and its files."""

    options: list[str]
    folder: Path
    roots: Path


@pytest.fixture(scope="module")
def authority(deployed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run pebble; yield the file with the authority of its API."""
    folder = tmp_path_factory.mktemp("pebble")
    image = bare_image("no-init", "trixie", ("pebble", "ca-certificates"), folder)
    paths = run("docker", "run", "--rm", "--entrypoint", "sh", image, "-c", "dpkg -L pebble").stdout.split()
    run("docker", "rm", "--force", AUTHORITY, check=False)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    request = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    names = ("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    run(*request, *names, "-keyout", str(key), "-out", str(certificate))
    settings = {
        "listenAddress": "127.0.0.1:14000",
        "managementListenAddress": "127.0.0.1:15000",
        "certificate": "/pebble/certificate.pem",
        "privateKey": "/pebble/key.pem",
        "httpPort": PROOF_PORT,
        "tlsPort": 5001,
        "certificateValidityPeriod": LASTS_DAYS * 86400,
        "profiles": {"default": {"description": "the only one", "validityPeriod": LASTS_DAYS * 86400}},
    }
    (folder / "config.json").write_text(json.dumps({"pebble": settings}), encoding="utf-8")
    program = next(path for path in paths if path.endswith("bin/pebble"))
    options = ("--detach", "--name", AUTHORITY, "--network", "host", "--volume", f"{folder}:/pebble:ro")
    # It validates without a delay, and accepts every nonce.
    environment = ("--env", "PEBBLE_VA_NOSLEEP=1", "--env", "PEBBLE_WFE_NONCEREJECT=0")
    run("docker", "run", *options, *environment, "--entrypoint", program, image, "-config", "/pebble/config.json")

    def answers() -> bool:
        try:
            return requests.get(DIRECTORY, verify=str(certificate), timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    wait_for(answers, STARTED_SECONDS, lambda: run("docker", "logs", AUTHORITY, check=False).stderr)
    yield certificate
    run("docker", "rm", "--force", AUTHORITY)


@pytest.fixture(scope="module")
def acme(authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    """Options with which pebble issues this machine's certificate; afterwards the gateway is restored."""
    folder = tmp_path_factory.mktemp("tls")
    roots = folder / "roots.pem"
    roots.write_text(requests.get(f"{MANAGEMENT}/roots/0", verify=str(authority), timeout=10).text, encoding="utf-8")
    variables = {
        "gateway_tls": "acme",
        "gateway_tls_dir": str(folder / "tls"),
        "gateway_tls_names": ["localhost"],
        "gateway_acme_directory": DIRECTORY,
        "gateway_acme_ca_file": str(authority),
        "gateway_acme_terms_agreed": True,
        "gateway_acme_port": PROOF_PORT,
        "gateway_tls_renew_days": YOUNG,
        "verification_url": "https://localhost:4000",
        "verification_ca_file": str(roots),
        "verification_client_env_file": str(folder / "client.env"),
    }
    extra = folder / "extra.json"
    extra.write_text(json.dumps(variables), encoding="utf-8")
    yield Acme(["--extra-vars", f"@{extra}"], folder / "tls/acme", roots)
    run("./deploy.sh")
    assert chat(client_settings(), "hi").status_code == 200


@pytest.fixture(scope="module")
def first(acme: Acme) -> str:
    """The first deployment with ACME; returns its output."""
    done = run("./deploy.sh", *acme.options)
    return done.stdout + done.stderr


def _shown(acme: Acme) -> x509.Certificate:
    """Return the gateway's certificate, as verified by a client that trusts only pebble."""
    trusted = ssl.create_default_context(cafile=acme.roots)
    with (
        socket.create_connection(("127.0.0.1", 4000), 30) as plain,
        trusted.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        shown = connection.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)


def test_the_first_deployment_ends_with_a_certificate_of_the_authority(first: str, acme: Acme) -> None:
    assert re.search(r"\d+ passed, 0 failed", first)
    assert "DEPRECATION" not in first
    assert "Pebble Intermediate" in _shown(acme).issuer.rfc4514_string()
    for name in ("account.key", "gateway.key"):
        assert (acme.folder / name).stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("first")
def test_the_authoritys_port_answers_the_authority_alone() -> None:
    address = f"http://127.0.0.1:{PROOF_PORT}"
    proof = requests.get(f"{address}/.well-known/acme-challenge/some-token", timeout=10)
    assert re.fullmatch(r"some-token\.[A-Za-z0-9_-]{43}", proof.text)
    for path in ("/", "/v1/models", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/a/b", "/x?y"):
        refused = requests.get(f"{address}{path}", allow_redirects=False, timeout=10)
        assert (refused.status_code, "use https" in refused.text) == (403, True), path


@pytest.mark.usefixtures("first")
def test_a_second_run_changes_nothing_and_asks_for_nothing(acme: Acme) -> None:
    before = _shown(acme).serial_number
    done = run("./deploy.sh", *acme.options)
    assert " changed=0 " in done.stdout
    assert _shown(acme).serial_number == before


@pytest.mark.usefixtures("first")
def test_a_renewal_that_the_authority_refuses_leaves_what_serves(acme: Acme) -> None:
    before = _shown(acme).serial_number
    refused = json.dumps({"gateway_tls_names": ["localhost", "nobody.invalid"]})
    done = run("./deploy.sh", *acme.options, "--extra-vars", refused, check=False)
    assert done.returncode != 0
    assert "nobody.invalid" in done.stdout
    assert _shown(acme).serial_number == before


@pytest.mark.usefixtures("first")
def test_a_certificate_that_is_about_to_end_is_renewed(acme: Acme) -> None:
    before = _shown(acme)
    assert (before.not_valid_after_utc - before.not_valid_before_utc).days in {LASTS_DAYS - 1, LASTS_DAYS}
    run("./deploy.sh", *acme.options, "-e", json.dumps({"gateway_tls_renew_days": OLD}))
    after = _shown(acme)
    assert after.serial_number != before.serial_number
    assert after.not_valid_after_utc >= before.not_valid_after_utc

"""The links between a client and the gateway: name, port, certificate, the server, and the key."""

from __future__ import annotations

import os
import ssl

from deployed_names import CONTAINERS
from report.model import CheckFailedError, require

from doctor.case import Case
from doctor.containers import require_running
from doctor.symptoms import quoted

GATEWAY = CONTAINERS["gateway"]
# The gateway's own answer to GET /.
OWN_WORDS = "litellm-vibe-router"
# The gateway answers at once; it refuses an address with many wrong keys after some seconds.
OWN_ANSWER_SECONDS = 15.0
LITELLMS_WORDS = "LiteLLM: RUNNING"
ADDRESS = "verification_url of the inventory; for a client: OPENAI_BASE_URL, ANTHROPIC_BASE_URL"
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def gateway_name_resolves(case: Case) -> None:
    """DNS."""
    try:
        case.client.resolve()
    except OSError as error:
        hint = f"a DNS record or a line in /etc/hosts for it, or another {ADDRESS}"
        raise CheckFailedError(f"an address for {case.client.name}", str(error), hint) from error


def gateway_port_is_open(case: Case) -> None:
    """TCP; if it is closed, the gateway's container shows why."""
    expected = f"{case.client.name}:{case.client.port} to accept connections"
    try:
        case.client.connect()
    except OSError as error:
        found = "no answer in 5 s" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        for machine in case.of("gateway"):
            try:
                container = require_running(machine, GATEWAY)
            except CheckFailedError as inner:
                raise CheckFailedError(expected, f"{found}; {machine.name}: {inner.found}", inner.hint) from error
            ports = container["HostConfig"].get("PortBindings") or {}
            published = {f"{one['HostIp']}:{one['HostPort']}" for bindings in ports.values() for one in bindings}
            found += f"; on {machine.name} it runs, and listens at {', '.join(sorted(published)) or 'no address'}"
        hint = f"gateway_bind_address and gateway_port, a firewall on the way, or another {ADDRESS}"
        raise CheckFailedError(expected, found, hint) from error


def gateway_certificate_is_valid(case: Case) -> None:
    """TLS, if the address is https."""
    if not case.client.secure:
        return
    expected = f"a certificate of {case.client.name} that a client trusts"
    try:
        case.client.shake_hands()
    except ssl.SSLCertVerificationError as error:
        hint = "renew it; for a private authority: SSL_CERT_FILE for Python, NODE_EXTRA_CA_CERTS for coding clients"
        raise CheckFailedError(expected, error.verify_message, hint) from error
    except ssl.SSLError as error:
        hint = f"there is no TLS at that port: use http:// in {ADDRESS}"
        raise CheckFailedError(expected, str(getattr(error, "reason", None) or error), hint) from error
    except OSError as error:
        raise CheckFailedError(
            expected, str(error), "the TLS terminator in front of the gateway drops the connection"
        ) from error


def gateway_answers(case: Case) -> None:
    """The gateway answers at that port, not another program or a proxy."""
    try:
        answer = case.client.ask("GET", "/", seconds=OWN_ANSWER_SECONDS)
    except OSError as error:
        hint = f"it accepts connections but does not answer: docker logs {GATEWAY} 2>&1 | tail -20 on its host"
        raise CheckFailedError("an answer to GET /", type(error).__name__, hint) from error
    found = f"{answer.status}, {answer.headers.get('content-type', 'no type')}: {quoted(answer.text)}"
    proxies = [name for name in PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    hint = "another program has that port, or is in front of it: `ss -ltnp` there; or another " + ADDRESS
    if LITELLMS_WORDS in answer.text:
        hint = f"that is a router's slot, and clients ask the gateway (gateway_port): another {ADDRESS}"
    if proxies:
        hint = f"{', '.join(proxies)} is set: NO_PROXY={case.client.name}; or {hint}"
    require(answer.text.strip() == OWN_WORDS, f"200: {OWN_WORDS}", found, hint)


def key_is_known(case: Case) -> None:
    """The gateway knows the client's key."""
    try:
        answer = case.client.ask("GET", "/v1/models", seconds=OWN_ANSWER_SECONDS)
    except OSError:
        # The gateway itself refuses a wrong key at once: without an answer, the fault is behind it.
        return
    hint = 'eval "$(./deploy.sh env)"; many clients prefer the key in their own configuration'
    require(answer.status != 401, "a known key", f"401: {quoted(answer.text)}", hint)

"""Rules across the variables of the gateway role."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import router
from .finding import Rules, Variables

rules = Rules()

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?")
_LOOPBACK = re.compile(r"127[.]|::1$|localhost$")
# More than one verification sends within a minute.
_LEAST_REQUESTS_PER_MINUTE = 200


def tls_mode(variables: Variables) -> str:
    """Return the effective gateway_tls: *auto* is plain only on loopback."""
    mode = str(variables["gateway_tls"])
    if mode != "auto":
        return mode
    return "plain" if _LOOPBACK.match(str(variables["gateway_bind_address"])) else "own_ca"


def _client_problems(client: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    name = str(client["name"])
    if not _NAME.fullmatch(name):
        yield " has a name that is not a word of 1 to 64 letters, digits, dots, hyphens and underscores"
    elif name == "default":
        yield " has the operator's name, which belongs to LiteLLM's master key"
    for key in ("key_sha256", "former_key_sha256"):
        if client.get(key) and not _SHA256.fullmatch(str(client[key])):
            yield f": {key} is not a SHA-256 in lower-case hexadecimal"
    for key in ("expires", "former_key_expires"):
        if client.get(key) and not _TIME.fullmatch(str(client[key])):
            yield f": {key} is neither a day such as 2027-01-31 nor a time such as 2027-01-31T12:00:00Z"
    if bool(client.get("former_key_sha256")) != bool(client.get("former_key_expires")):
        yield ": former_key_sha256 and former_key_expires go together"
    for model in client.get("models") or []:
        if known and model not in known:
            yield f" may request {model}, which is neither a virtual model nor a pool"
    if int(client.get("requests_per_minute") or 0) < 0:
        yield ": requests_per_minute is negative"


@rules(
    "gateway_clients",
    fix="see gateway_clients in roles/gateway/README.md; ./deploy.sh client writes these entries",
)
def clients_are_complete(variables: Variables) -> Iterator[str]:
    clients = variables.get("gateway_clients") or []
    known = {model["name"] for model in router.models(variables)} | set(router.virtual_models(variables))
    for number, client in enumerate(clients, 1):
        who = f"entry {number}" + (f" ({client['name']})" if _NAME.fullmatch(str(client["name"])) else "")
        for problem in _client_problems(client, known):
            yield who + problem
    names = [client["name"] for client in clients]
    if len(set(names)) < len(names):
        yield "two clients have the same name"
    keys = [hashlib.sha256(str(variables.get("router_master_key", "")).encode()).hexdigest()]
    keys += [client[key] for client in clients for key in ("key_sha256", "former_key_sha256") if client.get(key)]
    if len(set(keys)) < len(keys):
        yield "one key is listed twice: two clients share it, or a client has LiteLLM's master key"


@rules("gateway_server_timeout", fix="make it larger than router_request_timeout")
def gateway_waits_longer_than_the_router(variables: Variables) -> Iterator[str]:
    if int(variables["gateway_server_timeout"]) <= int(variables["router_request_timeout"]):
        yield "the gateway would give up on a request before the router does"


@rules(
    "verification_url",
    fix="write https://, or set gateway_tls: plain if something in front of the gateway terminates TLS",
)
def verification_speaks_tls(variables: Variables) -> Iterator[str]:
    mode = tls_mode(variables)
    if mode != "plain" and str(variables.get("verification_url", "")).startswith("http:"):
        yield f"it begins with http://, and the gateway speaks TLS (gateway_tls: {mode})"


@rules(
    "gateway_tls",
    fix="set gateway_tls_certificate and gateway_tls_key to absolute paths of PEM files on the control node",
)
def given_certificate_has_files(variables: Variables) -> Iterator[str]:
    if tls_mode(variables) != "given":
        return
    for name in ("gateway_tls_certificate", "gateway_tls_key"):
        path = str(variables.get(name) or "")
        if not path:
            yield f"it is given, and {name} is not set"
        elif not (path.startswith("/") and Path(path).is_file()):
            yield f"it is given, and {name} is not the absolute path of a file: {path}"


@rules(
    "gateway_tls",
    fix="list in gateway_tls_names the names that clients use, which the authority must reach on port 80;"
    " read its terms and set gateway_acme_terms_agreed: true",
)
def acme_has_what_it_needs(variables: Variables) -> Iterator[str]:
    if tls_mode(variables) != "acme":
        return
    names = variables.get("gateway_tls_names") or []
    if not names:
        yield "it is acme, and gateway_tls_names is empty"
    if variables.get("gateway_acme_terms_agreed") not in (True, "true", "True", "yes"):
        yield "it is acme, and gateway_acme_terms_agreed is not true"
    for name in names:
        if "*" in name:
            yield f"it is acme, and {name} cannot be proved over HTTP"
    file = str(variables.get("gateway_acme_ca_file") or "")
    if file and not Path(file).is_file():
        yield f"it is acme, and gateway_acme_ca_file is not the absolute path of a file: {file}"
    if int(variables["gateway_acme_port"]) == int(variables["gateway_port"]):
        yield "it is acme, and gateway_acme_port is gateway_port"


def _too_few(variables: Variables, name: str) -> Iterator[str]:
    limit = int(variables[name])
    if limit != 0 and limit < _LEAST_REQUESTS_PER_MINUTE:
        yield f"{limit} is less than a verification needs"


_FIX_LIMIT = (
    f"give {_LEAST_REQUESTS_PER_MINUTE} or more, because a verification's requests count too, or 0 for no limit"
)


@rules("gateway_client_requests_per_minute", fix=_FIX_LIMIT)
def client_limit_lets_a_verification_through(variables: Variables) -> Iterator[str]:
    return _too_few(variables, "gateway_client_requests_per_minute")


@rules("gateway_requests_per_minute", fix=_FIX_LIMIT)
def total_limit_lets_a_verification_through(variables: Variables) -> Iterator[str]:
    return _too_few(variables, "gateway_requests_per_minute")

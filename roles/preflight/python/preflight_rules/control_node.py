"""What the control node needs: versions of Ansible and its collections, adapters, and a certificate if one is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.compat.version import LooseVersion

from .finding import Finding

CORE_MINIMUM = "2.19"
CORE_BELOW = "2.23"
COLLECTIONS = {"community.docker": "4.8.0", "community.general": "11.0.0", "ansible.posix": "2.0.0"}


def version_findings(core: str, collections: Mapping[str, str | None]) -> list[Finding]:
    """Return the versions that don't fit; *collections* has the version of each collection, or None."""
    findings: list[Finding] = []
    if not LooseVersion(CORE_MINIMUM) <= LooseVersion(core) < LooseVersion(CORE_BELOW):
        findings.append(
            Finding(
                subject="ansible-core",
                wrong=f"{core} on the control node is not supported",
                fix=f"use {CORE_MINIMUM} or newer, below {CORE_BELOW}; ./deploy.sh installs one",
            )
        )
    for name, minimum in COLLECTIONS.items():
        version = collections.get(name)
        if not version or LooseVersion(version) < LooseVersion(minimum):
            wrong = f"the control node has version {version}" if version else "the control node does not have it"
            findings.append(Finding(subject=name, wrong=wrong, fix=f"install {minimum} or newer; ./deploy.sh does"))
    return findings


def adapter_findings(results: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return the adapters that the plug-in refuses; *results* has one run of check-adapter for each family."""
    findings: list[Finding] = []
    for result in results:
        family = result["item"]
        wrong = ""
        if result.get("rc", 1) != 0:
            wrong = str(result.get("stderr") or result.get("msg") or "check-adapter failed")
        elif not str(family["adapter"]).startswith("/"):
            wrong = f"{family['adapter']} is a relative path"
        if wrong:
            findings.append(
                Finding(
                    subject="router_families (adapter)",
                    wrong=f"family {family['name']}: {wrong}",
                    fix="give an absolute path on the control node, or remove adapter from the family",
                )
            )
    return findings


def _names_for(host: str) -> set[str]:
    """Return the subject alternative names that are good for *host*, as community.crypto writes them."""
    wildcard = f"*.{host.partition('.')[2]}"
    return {f"DNS:{host}", f"DNS:{wildcard}", f"IP:{host}", f"IP Address:{host}"}


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def certificate_findings(
    certificate: Mapping[str, Any], key: Mapping[str, Any], files: tuple[str, str], url: str
) -> list[Finding]:
    """Return why clients or HAProxy would refuse a given certificate.

    *certificate* and *key* are what community.crypto reads from *files*; verification requests *url*.
    """
    certificate_file, key_file = files
    if "public_key_fingerprints" not in certificate:
        return [
            Finding(
                subject="gateway_tls_certificate",
                wrong=f"{certificate_file} is not a certificate",
                fix="give a PEM file with the certificate first, then its chain up to the authority",
            )
        ]
    if "public_key_fingerprints" not in key:
        return [
            Finding(
                subject="gateway_tls_key",
                wrong=f"{key_file} is not a private key without a passphrase",
                fix="give the PEM file of the key that belongs to gateway_tls_certificate",
            )
        ]
    findings: list[Finding] = []
    if key["public_key_fingerprints"] != certificate["public_key_fingerprints"]:
        findings.append(
            Finding(
                subject="gateway_tls_key",
                wrong=f"{key_file} does not belong to gateway_tls_certificate",
                fix="give the key with which the certificate was requested",
            )
        )
    if not certificate["valid_at"]["now"]:
        findings.append(
            Finding(
                subject="gateway_tls_certificate",
                wrong=f"it is valid from {certificate['not_before']} to {certificate['not_after']}, and not now",
                fix="renew it, or correct the control node's clock",
            )
        )
    host, names = _host_of(url), certificate.get("subject_alt_name") or []
    if host and _names_for(host).isdisjoint(names):
        findings.append(
            Finding(
                subject="gateway_tls_certificate",
                wrong=f"it is for {', '.join(names) or 'no name'}, and verification_url requests {host}",
                fix="use a certificate for that name, or a name of the certificate in verification_url",
            )
        )
    return findings

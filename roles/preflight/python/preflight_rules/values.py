"""Checks of single values: numbers by their range, words by their kind.

The argument specs check types and choices; the rules check what holds across variables. A unit test compares these
tables with the specs: every option is in one of them, or is among its exceptions with the reason.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .finding import Finding, Variables

# Text that can only be an address.
_LIKE_AN_ADDRESS = re.compile(r"[0-9.]+|.*:.*")
_HOST = r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*"


def is_address(value: object) -> bool:
    """Whether *value* is an IP address."""
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return True


def is_network(value: object) -> bool:
    """Whether *value* is an IP address or a network such as 10.0.0.0/8; host bits may be set."""
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return False
    return True


def is_host(value: object) -> bool:
    """Whether *value*, a host name or an address, is a valid address if it can only be one."""
    return is_address(value) or not _LIKE_AN_ADDRESS.fullmatch(str(value))


def _anything(value: object) -> bool:
    return True


class Kind(NamedTuple):
    """A kind of word: the whole value matches the pattern and passes the test. A hidden value is not shown."""

    pattern: str
    fix: str
    test: Callable[[object], bool] = _anything
    is_hidden: bool = False

    def takes(self, value: str) -> bool:
        """Whether *value* is of this kind."""
        return re.fullmatch(self.pattern, value) is not None and self.test(value)


KINDS = {
    "name": Kind(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", "use letters, digits, dots, hyphens and underscores"),
    "path": Kind(r"/[A-Za-z0-9_.@%+=:,/-]*", "give an absolute path on the host, without spaces"),
    "folder": Kind(
        r"(/[A-Za-z0-9][A-Za-z0-9._-]*){2,}",
        "give a folder on the host that nothing else uses, such as /srv/litellm-vibe-router",
    ),
    "prefix": Kind(
        r"[A-Za-z0-9][A-Za-z0-9_.-]{0,30}", "use letters, digits, dots, hyphens and underscores, such as team-a-"
    ),
    "local path": Kind(r"""/[^\x00-\x1f\x7f"'`$;|&<>*?{}\\]*""", "give an absolute path on the control node"),
    "address": Kind(
        r"[0-9]{1,3}([.][0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*",
        "give an IP address of the host, or 0.0.0.0 for all of them",
        is_address,
    ),
    "host": Kind(_HOST, "give a host name or an IP address, without a port", is_host),
    "TLS name": Kind(
        rf"([*][.])?{_HOST}", "list host names and IP addresses, without ports and without https://", is_host
    ),
    "listen address": Kind(
        rf"[*]|{_HOST}", "give an IP address of the host, or 0.0.0.0 or * for all of them, without a port", is_host
    ),
    "network": Kind(
        r"[0-9a-fA-F.:]+(/[0-9]{1,3})?", "list networks such as 10.0.0.0/8, or addresses of hosts", is_network
    ),
    "URL": Kind(r"""https?://[^\x00-\x20\x7f"'<>`{|}\\^$;]+""", "give an address that begins with https:// or http://"),
    "size": Kind(r"[1-9][0-9]{0,14}([bkmgBKMG]|[kmgKMG][bB])?", "give a number with k, m or g, such as 256m"),
    "version": Kind(r"[A-Za-z0-9*.+~:_-]{1,128}", "write the version as its source does, without spaces"),
    "reference": Kind(
        r"[a-z0-9][A-Za-z0-9._:/@-]{0,511}", "name an image as docker pull does, such as redis:8.2-bookworm"
    ),
    "digest": Kind(r"sha256:[0-9a-f]{64}", "give sha256: and 64 hexadecimal digits"),
    "origin": Kind(
        r"[*]|[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+(:[0-9]{1,5})?",
        "give an origin such as https://chat.example.org, without a path, or *",
    ),
    "URL path": Kind(r"/[A-Za-z0-9._~/-]*", "give a path as clients request it, such as /v1/chat/completions"),
    "parameter": Kind(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", "give the name of a request field, such as top_a"),
    "destination": Kind(
        r"([*][.])?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?",
        "give a name, an address or *.DOMAIN, with :PORT to allow a single port",
    ),
    "email address": Kind(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", "give an address such as gateway@example.org"),
    "line": Kind(r"[^\x00-\x1f\x7f]{0,500}", "write it on one line"),
    "secret": Kind(r"[\x21-\x7e]{1,1024}", "use printable ASCII characters without spaces", is_hidden=True),
}

# The least and the greatest value of each number.
RANGES: dict[str, tuple[float, float]] = {
    "docker_log_max_file": (1, 100),
    "firewall_undo_seconds": (20, 600),
    "gateway_tls_renew_days": (1, 398),
    "gateway_port": (1, 65_535),
    "gateway_acme_port": (1, 65_535),
    "gateway_max_body_bytes": (1024, 1_073_741_824),
    "gateway_wrong_key_burst": (1, 10_000),
    "gateway_maxconn": (10, 1_000_000),
    "gateway_client_requests_at_a_time": (0, 1_000_000),
    "gateway_body_timeout": (1, 3600),
    "gateway_queue_timeout": (1, 3600),
    "gateway_server_timeout": (1, 86_400),
    "preflight_min_memory_mib": (0, 1_000_000_000),
    "preflight_min_disk_mib": (0, 1_000_000_000),
    "redis_port": (1, 65_535),
    "router_request_timeout": (1, 86_400),
    "router_stream_timeout": (1, 86_400),
    "router_num_retries": (0, 10),
    "router_cooldown_time": (0, 86_400),
    "router_redis_port": (1, 65_535),
    "router_worker_memory_mib": (1, 1_048_576),
    "router_base_memory_mib": (1, 1_048_576),
    "router_reserved_memory_mib": (0, 1_048_576),
    "router_start_period": (1, 3600),
    "router_keep_releases": (2, 100),
    "router_drain_timeout": (0, 86_400),
    "router_canary_bake_time": (0, 86_400),
    "router_canary_min_requests": (1, 1_000_000),
    "router_canary_max_error_rate_excess": (0, 1),
    "router_canary_max_latency_ratio": (1, 1000),
    "deployment_lock_ttl": (0, 604_800),
    "verification_most_requests": (0, 1_000_000),
    "verification_restart_quiet_minutes": (0, 10_080),
    "verification_keep_reports": (1, 10_000),
}

# The kind of each word; each item of a list is of that kind.
WORDS = {
    "docker_package_version": "version",
    "docker_ce_repository_url": "URL",
    "docker_log_max_size": "size",
    "docker_users": "name",
    "gateway_tls_certificate": "local path",
    "gateway_tls_key": "local path",
    "gateway_acme_directory": "URL",
    "gateway_acme_email": "email address",
    "gateway_acme_ca_file": "local path",
    "gateway_tls_dir": "local path",
    "gateway_bind_address": "listen address",
    "gateway_memory_limit": "size",
    "gateway_allowed_paths": "URL path",
    "images_litellm_pull_reference": "reference",
    "images_redis_pull_reference": "reference",
    "images_haproxy_pull_reference": "reference",
    "images_litellm_digest": "digest",
    "images_redis_digest": "digest",
    "images_haproxy_digest": "digest",
    "images_base_suite": "name",
    "verification_symptom": "line",
    "images_base_refresh": "line",
    "images_litellm_version": "version",
    "images_refused_litellm": "version",
    "images_litellm_lock": "local path",
    "images_redis_package_version": "version",
    "images_haproxy_package_version": "version",
    "images_ca_bundle": "path",
    "images_pip_index_url": "URL",
    "images_pip_extra_index_url": "URL",
    "images_archive": "local path",
    "redis_password": "secret",
    "redis_network": "name",
    "redis_publish_address": "address",
    "redis_maxmemory": "size",
    "redis_memory_limit": "size",
    "router_master_key": "secret",
    "router_allowed_parameters": "parameter",
    "router_allowed_hosts": "destination",
    "router_fetch_media": "destination",
    "router_unchecked_paths": "URL path",
    "router_redis_host": "host",
    "router_redis_password": "secret",
    "router_bind_address": "address",
    "router_rollback_to": "name",
    "router_files_dir": "local path",
    "stub_upstream_network": "name",
    "verification_url": "URL",
    "verification_ca_file": "local path",
    "verification_report_dir": "local path",
    "vibe_dir": "folder",
    "vibe_container_prefix": "prefix",
    "gateway_tls_names": "TLS name",
    "gateway_trusted_proxies": "network",
    "gateway_cors_origins": "origin",
}


def _words(value: Any) -> Iterable[str]:
    return map(str, value) if isinstance(value, (list, tuple)) else [str(value)]


def _word_findings(name: str, value: Any, default: Any) -> list[Finding]:
    kind = KINDS[WORDS[name]]
    unchanged = str(default if default is not None else "")
    return [
        Finding(
            subject=name,
            wrong=("the value (not shown)" if kind.is_hidden else json.dumps(word, ensure_ascii=False))
            + f" is not a valid {WORDS[name]}",
            fix=kind.fix,
        )
        for word in _words(value)
        # An option that the operator leaves empty keeps its default, which the role understands.
        if word != unchanged and not kind.takes(word)
    ]


def value_findings(given: Variables, defaults: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with single values that the inventory sets."""
    findings: list[Finding] = []
    for name, value in given.items():
        if name in RANGES:
            least, most = RANGES[name]
            if not least <= float(value) <= most:
                wrong = f"{value} is outside the range {least} to {most}"
                findings.append(Finding(subject=name, wrong=wrong, fix="give a number in this range"))
        elif name in WORDS:
            findings += _word_findings(name, value, defaults.get(name))
    return findings

"""What a single value may be: numbers by their range, words by their kind.

The argument specs check types and choices; the rules check what holds across variables. A unit test compares these
tables with the specs: every option is in one of them, or is among its exceptions with the reason.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .finding import Finding, Variables

# What can only be meant as an address.
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
    """Whether *value*, a host name or an address, is a valid address if it can only be meant as one."""
    return is_address(value) or not _LIKE_AN_ADDRESS.fullmatch(str(value))


def is_socket_address(value: object) -> bool:
    """Whether *value* is an IP address with a port, such as 127.0.0.1:8404 or [::1]:8404."""
    try:
        parts = urlsplit(f"//{value}")
        return is_address(parts.hostname) and parts.port is not None and parts.port > 0
    except ValueError:
        return False


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
    "socket address": Kind(
        r"([0-9]{1,3}([.][0-9]{1,3}){3}|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}",
        "give an IP address with a port, such as 127.0.0.1:8404",
        is_socket_address,
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
    "checksum": Kind(r"(sha256:)?[0-9a-f]{64}", "give the SHA-256 of the file, 64 hexadecimal digits"),
    "URL path": Kind(r"/[A-Za-z0-9._~/-]*", "give a path as clients request it, such as /v1/chat/completions"),
    "header": Kind(r"[A-Za-z0-9][A-Za-z0-9-]{0,127}", "give the name of a header, or its beginning"),
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
    "docker_supervised_log_size": (65_536, 1_073_741_824),
    "docker_supervised_log_files": (1, 100),
    "docker_start_timeout": (1, 3600),
    "docker_apt_lock_timeout": (0, 3600),
    "firewall_undo_seconds": (20, 600),
    "gateway_tls_renew_days": (1, 398),
    "gateway_uid": (1, 4_294_967_293),
    "gateway_port": (1, 65_535),
    "gateway_acme_port": (1, 65_535),
    "gateway_max_body_bytes": (1024, 1_073_741_824),
    "gateway_wrong_key_burst": (1, 10_000),
    "gateway_wrong_key_delay": (0, 60),
    "gateway_maxconn": (10, 1_000_000),
    "gateway_server_maxconn": (1, 100_000),
    "gateway_client_requests_at_a_time": (0, 1_000_000),
    "gateway_body_timeout": (1, 3600),
    "gateway_connect_timeout": (1, 60),
    "gateway_queue_timeout": (1, 3600),
    "gateway_server_timeout": (1, 86_400),
    "gateway_client_timeout": (1, 86_400),
    "gateway_check_interval_ms": (100, 60_000),
    "gateway_check_timeout_ms": (100, 120_000),
    "gateway_check_fall": (1, 100),
    "gateway_check_rise": (1, 100),
    "gateway_pids_limit": (16, 65_536),
    "gateway_start_period": (0, 600),
    "gateway_healthcheck_interval": (1, 300),
    "gateway_healthcheck_timeout": (1, 300),
    "gateway_healthcheck_retries": (1, 100),
    "gateway_drain_timeout": (0, 86_400),
    "gateway_stop_grace_period": (0, 86_400),
    "images_pull_probe_timeout": (1, 300),
    "images_build_timeout": (60, 86_400),
    "preflight_min_memory_mib": (0, 1_000_000_000),
    "preflight_min_disk_mib": (0, 1_000_000_000),
    "preflight_max_clock_skew": (1, 86_400),
    "preflight_reach_timeout": (1, 300),
    "redis_uid": (1, 4_294_967_293),
    "redis_port": (1, 65_535),
    "redis_pids_limit": (16, 65_536),
    "redis_start_period": (0, 600),
    "redis_healthcheck_interval": (1, 300),
    "redis_healthcheck_timeout": (1, 300),
    "redis_healthcheck_retries": (1, 100),
    "router_request_timeout": (1, 86_400),
    "router_stream_timeout": (1, 86_400),
    "router_num_retries": (0, 10),
    "router_dns_cache_time": (0, 86_400),
    "router_upstream_keepalive": (1, 600),
    "router_allowed_fails": (0, 1000),
    "router_cooldown_time": (0, 86_400),
    "router_redis_port": (1, 65_535),
    "router_redis_socket_timeout": (0.01, 60),
    "router_uid": (1, 4_294_967_293),
    "router_keepalive_timeout": (1, 3600),
    "router_worker_memory_mib": (1, 1_048_576),
    "router_base_memory_mib": (1, 1_048_576),
    "router_reserved_memory_mib": (0, 1_048_576),
    "router_pids_limit": (16, 65_536),
    "router_start_period": (1, 3600),
    "router_healthcheck_interval": (1, 300),
    "router_healthcheck_timeout": (2, 300),
    "router_healthcheck_retries": (1, 100),
    "router_healthcheck_start_interval": (1, 300),
    "router_stop_grace_period": (0, 86_400),
    "router_keep_releases": (2, 100),
    "router_drain_timeout": (0, 86_400),
    "router_canary_bake_time": (0, 86_400),
    "router_canary_min_requests": (1, 1_000_000),
    "router_canary_max_error_rate_excess": (0, 1),
    "router_canary_max_latency_ratio": (1, 1000),
    "router_failed_log_lines": (0, 100_000),
    "stub_upstream_uid": (1, 4_294_967_293),
    "stub_upstream_port": (1, 65_535),
    "stub_upstream_pids_limit": (16, 65_536),
    "stub_upstream_start_period": (0, 600),
    "stub_upstream_healthcheck_interval": (1, 300),
    "stub_upstream_healthcheck_start_interval": (1, 300),
    "stub_upstream_healthcheck_timeout": (1, 300),
    "stub_upstream_healthcheck_retries": (1, 100),
    "deployment_lock_ttl": (0, 604_800),
    "verification_most_requests": (0, 1_000_000),
    "verification_request_timeout": (1, 3600),
    "verification_restart_quiet_minutes": (0, 10_080),
    "verification_keep_reports": (1, 10_000),
}

# The kind of each word; each item of a list is of that kind.
WORDS = {
    "docker_package_version": "version",
    "docker_engine_minimum": "version",
    "docker_compose_minimum": "version",
    "docker_ce_repository_url": "URL",
    "docker_ce_repository_channel": "name",
    "docker_ce_key_checksum": "checksum",
    "docker_log_driver": "name",
    "docker_log_max_size": "size",
    "docker_daemon_json_path": "path",
    "docker_supervised_log_dir": "path",
    "docker_socket": "path",
    "docker_users": "name",
    "firewall_dir": "path",
    "gateway_tls_certificate": "local path",
    "gateway_tls_key": "local path",
    "gateway_tls_authority": "line",
    "gateway_acme_directory": "URL",
    "gateway_acme_email": "email address",
    "gateway_acme_ca_file": "local path",
    "gateway_tls_dir": "local path",
    "gateway_bind_address": "listen address",
    "gateway_metrics_bind": "socket address",
    "gateway_memory_limit": "size",
    "gateway_allowed_paths": "URL path",
    "gateway_allowed_path_prefixes": "URL path",
    "gateway_removed_headers": "header",
    "gateway_removed_header_prefixes": "header",
    "images_litellm_pull_reference": "reference",
    "images_redis_pull_reference": "reference",
    "images_haproxy_pull_reference": "reference",
    "images_litellm_digest": "digest",
    "images_redis_digest": "digest",
    "images_haproxy_digest": "digest",
    "images_base_suite": "name",
    "images_base_refresh": "line",
    "images_litellm_version": "version",
    "images_refused_litellm": "version",
    "images_litellm_lock": "local path",
    "images_redis_package": "name",
    "images_redis_package_version": "version",
    "images_haproxy_package": "name",
    "images_haproxy_package_version": "version",
    "images_ca_bundle": "path",
    "images_pip_index_url": "URL",
    "images_pip_extra_index_url": "URL",
    "images_archive": "local path",
    "images_docker_socket": "path",
    "images_state_dir": "path",
    "images_context_dir": "local path",
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
    "router_gateway_backend": "name",
    "router_rollback_to": "name",
    "router_files_dir": "local path",
    "stub_upstream_network": "name",
    "stub_upstream_memory_limit": "size",
    "verification_url": "URL",
    "verification_ca_file": "local path",
    "verification_report_dir": "local path",
    "verification_tests_dir": "local path",
    "vibe_dir": "folder",
    "vibe_container_prefix": "prefix",
    "gateway_tls_names": "TLS name",
    "gateway_trusted_proxies": "network",
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

"""Tests of addresses, as preflight's rules use them: a regular expression takes 999.999.999.999 and ::::: too."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

DOCUMENTATION = r"""
name: preflight_addresses
short_description: Addresses, networks and hosts, by Python's ipaddress
description:
  - preflight_address is an IP address, preflight_network one or a network, preflight_host a name or an address,
    preflight_socket_address an IP address with a port.
"""
# What can only be meant as an address.
_LIKE_AN_ADDRESS = re.compile(r"[0-9.]+|.*:.*")


def is_address(value: object) -> bool:
    """Whether *value* is an IP address."""
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return True


def is_network(value: object) -> bool:
    """Whether *value* is an IP address, or a network such as 10.0.0.0/8; bits of a host are let pass."""
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return False
    return True


def is_host(value: object) -> bool:
    """Whether *value*, the name of a host or an address, is a right address if it can only be meant as one."""
    return is_address(value) or not _LIKE_AN_ADDRESS.fullmatch(str(value))


def is_socket_address(value: object) -> bool:
    """Whether *value* is an IP address with a port, such as 127.0.0.1:8404 or [::1]:8404."""
    try:
        parts = urlsplit(f"//{value}")
        return is_address(parts.hostname) and parts.port is not None and parts.port > 0
    except ValueError:
        return False


class TestModule:
    """What Ansible looks for."""

    # Not a test of pytest.
    __test__ = False

    def tests(self) -> dict[str, Callable[[object], bool]]:
        """Return the tests by name."""
        return {
            "preflight_address": is_address,
            "preflight_network": is_network,
            "preflight_host": is_host,
            "preflight_socket_address": is_socket_address,
        }

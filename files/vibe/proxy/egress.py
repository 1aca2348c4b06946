"""Where this process may connect to: the providers of the release, Redis, and what the operator adds. Nothing else.

Names are resolved and connections made by several ways (uvloop's own code, the sockets of threads), so the methods of
both are wrapped. A name that is not allowed is not even resolved; an address counts only if an allowed name was
resolved to it, or it is allowed itself. Not an audit hook (PEP 578): Python would call it for much else, such as each
``id()``.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from vibe.proxy.stopped import EGRESS, note_attack
from vibe.routes.gate_settings import Destination
from vibe.telemetry.response_headers import printable


class EgressRefusedError(OSError):
    """A connection to a host that the release does not use."""


@dataclass
class Egress:
    """The destinations that are allowed, and the addresses that their names were resolved to."""

    destinations: tuple[Destination, ...]
    _addresses: dict[str, set[Destination]] = field(default_factory=dict)

    def allows_host(self, host: object, port: object = None) -> bool:
        """Whether *host*, a name or an address, may be resolved, or connected to on *port*."""
        number = port if isinstance(port, int) else None
        plain = _plain(host)
        return bool(self._of(plain, number)) or (_is_address(plain) and self.allows_address(plain, number))

    def allows_address(self, address: str, port: int | None) -> bool:
        """Whether a connection to *address* and *port* is one to an allowed destination."""
        plain = _plain(address)
        if self._of(plain, port):
            return True
        known = self._addresses.get(plain, ())
        return any(one.port is None or port is None or one.port == port for one in known)

    def resolved(self, host: object, addresses: Iterable[str]) -> list[str]:
        """Record that *host* was resolved to *addresses*; return the allowed ones."""
        name = _plain(host)
        if _is_address(name):
            return list(addresses)
        destinations = self._of(name, None)
        kept = []
        for address in addresses:
            plain = _plain(address)
            allowed = {one for one in destinations if not one.is_public or _is_public(plain)}
            if allowed:
                self._addresses.setdefault(plain, set()).update(allowed)
                kept.append(address)
        return kept

    def _of(self, host: str, port: int | None) -> list[Destination]:
        return [one for one in self.destinations if one.is_at(host, port)]


def guard(egress: Egress) -> None:
    """Restrict this process, and all its forks, to *egress*."""
    _guard_names(egress)
    _guard_sockets(egress)
    _guard_uvloop(egress)


def _guard_names(egress: Egress) -> None:
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host is None:
            return resolve(host, port, *arguments, **options)
        _require(egress.allows_host(host, port), host, port)
        return _reachable(egress, host, port, resolve(host, port, *arguments, **options))

    socket.getaddrinfo = getaddrinfo
    for function in (socket.gethostbyname, socket.gethostbyname_ex):
        setattr(socket, function.__name__, _checked_name(egress, function))


def _checked_name(egress: Egress, resolve: Callable[..., Any]) -> Callable[..., Any]:
    def checked(host: Any, *arguments: Any) -> Any:
        _require(egress.allows_host(host), host, None)
        return resolve(host, *arguments)

    return checked


def _guard_sockets(egress: Egress) -> None:
    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, _checked_address(egress, getattr(socket.socket, name)))
    send_message = socket.socket.sendmsg

    def sendmsg(self: Any, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None) -> Any:
        if address is None:
            return send_message(self, buffers, ancdata, flags)
        _require_address(egress, self.family, address)
        return send_message(self, buffers, ancdata, flags, address)

    socket.socket.sendmsg = sendmsg  # type: ignore[method-assign]  # what this module is for


def _checked_address(egress: Egress, method: Callable[..., Any]) -> Callable[..., Any]:
    def checked(self: Any, *arguments: Any) -> Any:
        # The address is the last argument of each: connect(address), sendto(bytes, flags, address).
        _require_address(egress, self.family, arguments[-1])
        return method(self, *arguments)

    return checked


def _guard_uvloop(egress: Egress) -> None:
    try:
        from uvloop import Loop  # part of the LiteLLM image
    except ModuleNotFoundError:
        # asyncio's own loop uses Python's sockets.
        return
    resolve: Callable[..., Any] = Loop.getaddrinfo
    connect: Callable[..., Any] = Loop.create_connection
    connect_socket: Callable[..., Any] = Loop.sock_connect
    datagrams: Callable[..., Any] = Loop.create_datagram_endpoint

    async def getaddrinfo(self: Any, host: Any, port: Any, **options: Any) -> Any:
        if host is None:
            return await resolve(self, host, port, **options)
        _require(egress.allows_host(host, port), host, port)
        return _reachable(egress, host, port, await resolve(self, host, port, **options))

    async def create_connection(
        self: Any, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        if host is None:
            return await connect(self, protocol_factory, host, port, **options)
        # Resolved here, so that the addresses that it connects to are the ones that were checked.
        kind = {name: options[name] for name in ("family", "proto", "flags") if name in options}
        found = await getaddrinfo(self, host, port, type=socket.SOCK_STREAM, **kind)
        if options.get("ssl") and not options.get("server_hostname"):
            options["server_hostname"] = host
        failures: list[OSError] = []
        for *_, address in found:
            try:
                return await connect(self, protocol_factory, address[0], address[1], **options)
            except OSError as error:
                failures.append(error)
        raise failures[-1]

    async def sock_connect(self: Any, sock: Any, address: Any) -> Any:
        _require_address(egress, sock.family, address)
        return await connect_socket(self, sock, address)

    async def create_datagram_endpoint(self: Any, protocol_factory: Any, *arguments: Any, **options: Any) -> Any:
        remote = options.get("remote_addr") or (arguments[1] if len(arguments) > 1 else None)
        # Without one it could send anywhere later.
        _require(remote is not None and egress.allows_host(remote[0], remote[1]), remote and remote[0], None)
        return await datagrams(self, protocol_factory, *arguments, **options)

    for method in (getaddrinfo, create_connection, sock_connect, create_datagram_endpoint):
        setattr(Loop, method.__name__, method)


def _require_address(egress: Egress, family: int, address: Any) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        # A local socket: a container has none of another program.
        return
    host, port = address[0], address[1]
    _require(egress.allows_address(str(host), port), host, port)


def _require(is_allowed: bool, host: object, port: object) -> None:
    if is_allowed:
        return
    note_attack(EGRESS, f"host={printable(host)} port={printable(port)}")
    raise EgressRefusedError("this process may connect to the configured providers alone (router_allowed_hosts)")


def _reachable(egress: Egress, host: object, port: object, found: list[Any]) -> list[Any]:
    """Return those of *found*, entries of getaddrinfo, that *host* may be reached at."""
    kept = set(egress.resolved(host, [str(entry[4][0]) for entry in found]))
    reachable = [entry for entry in found if entry[4][0] in kept]
    _require(bool(reachable), host, port)
    return reachable


def _plain(host: object) -> str:
    """Return *host* as it is compared: in lower case, without an address's zone or a name's last dot."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    return name.partition("%")[0].rstrip(".").lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(address: str) -> bool:
    return _is_address(address) and ipaddress.ip_address(address).is_global

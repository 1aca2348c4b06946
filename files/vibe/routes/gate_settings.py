"""An operator's settings of the gates around LiteLLM: the part ``gate`` of the routes file, read strictly.

{"limits": {"messages": 5000}, "allowed_parameters": ["top_a"], "allowed_hosts": ["metadata.example.org:8080"],
 "media_hosts": ["images.example.org"], "unchecked_paths": [], "model_aliases": {"claude-haiku-*": "claude-auto"}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from vibe.routes.family_parser import check_keys

_KEYS = ("limits", "allowed_parameters", "allowed_hosts", "media_hosts", "unchecked_paths", "model_aliases")
_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_HOST_RULE = "must be a list of hosts, each a name, an address or *.DOMAIN, with :PORT if one port alone is meant"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a request.

    ``messages``: messages of a chat, or prompts. ``items``: items of the Responses API's input, which cost LiteLLM a
    tenth of a message. ``parts``: content parts and tool calls of all messages together. ``tools``: tools or functions.
    ``names``: tags, stop sequences and other lists of words. ``name_chars``: characters of a name, an identifier or a
    tag. ``nodes``: values of the whole JSON document. ``depth``: objects and lists inside each other. ``body_seconds``:
    how long the body may take to arrive. ``unpacked_bytes``: a compressed body, unpacked.
    """

    messages: int = 4_000
    items: int = 10_000
    parts: int = 5_000
    tools: int = 1_000
    names: int = 128
    name_chars: int = 512
    nodes: int = 200_000
    depth: int = 64
    body_seconds: int = 60
    unpacked_bytes: int = 33_554_432


DEFAULT_LIMITS = Limits()
LIMIT_NAMES = tuple(limit.name for limit in fields(Limits))


@dataclass(frozen=True, slots=True)
class Destination:
    """A ``host``, a name, an address or a pattern such as ``*.example.org``, its ``port`` (None: any).

    ``is_public``: only at public addresses, whatever its name resolves to. So is media that a client names.
    """

    host: str
    port: int | None = None
    is_public: bool = False

    def is_at(self, host: str, port: int | None) -> bool:
        """Whether it is *host* and *port*; a port that is not known yet is any."""
        return fnmatchcase(host, self.host) and (self.port is None or port is None or port == self.port)


@dataclass(frozen=True)
class GateSettings:
    """The *limits* of requests, and what passes beside what the release itself needs.

    ``model_aliases``: names that clients request, patterns such as ``claude-haiku-*`` included, and the model of each.
    """

    limits: Limits = DEFAULT_LIMITS
    allowed_parameters: frozenset[str] = frozenset()
    allowed_hosts: tuple[Destination, ...] = ()
    media_hosts: tuple[Destination, ...] = ()
    unchecked_paths: frozenset[str] = frozenset()
    model_aliases: Mapping[str, str] = field(default_factory=dict)


def read_settings(value: object, faults: list[str]) -> GateSettings:
    """Return the settings that *value* holds; what is wrong with it goes to *faults*, one sentence each."""
    if not isinstance(value, dict):
        faults.append("gate: must be an object")
        return GateSettings()
    check_keys(value, _KEYS, "gate.", faults, required=())
    return GateSettings(
        _limits(value.get("limits", {}), faults),
        _names(value, "allowed_parameters", faults),
        _hosts(value, "allowed_hosts", faults),
        tuple(replace(host, is_public=True) for host in _hosts(value, "media_hosts", faults)),
        _names(value, "unchecked_paths", faults),
        _aliases(value.get("model_aliases", {}), faults),
    )


def destination_of(host: str) -> Destination:
    """Return the destination of HOST, HOST:PORT or [ADDRESS]:PORT."""
    parts = urlsplit(f"//{host}")
    return Destination(parts.hostname or "", parts.port)


def _limits(value: object, faults: list[str]) -> Limits:
    if not isinstance(value, dict):
        faults.append("gate.limits: must be an object")
        return DEFAULT_LIMITS
    check_keys(value, LIMIT_NAMES, "gate.limits.", faults, required=())
    good = {}
    for name, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            faults.append(f"gate.limits.{name}: must be a whole number of 1 or more, is {number!r}")
        elif name in LIMIT_NAMES:
            good[name] = number
    return replace(DEFAULT_LIMITS, **good)


def _aliases(value: object, faults: list[str]) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(model, str) and model for model in value.values()):
        faults.append("gate.model_aliases: must be an object of names")
        return {}
    return value


def _names(value: dict[str, object], key: str, faults: list[str]) -> frozenset[str]:
    listed = value.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        faults.append(f"gate.{key}: must be a list of texts")
        return frozenset()
    return frozenset(listed)


def _hosts(value: dict[str, object], key: str, faults: list[str]) -> tuple[Destination, ...]:
    listed = value.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(one, str) and _HOST.fullmatch(one) for one in listed):
        faults.append(f"gate.{key}: {_HOST_RULE}, is {listed!r}")
        return ()
    return tuple(map(destination_of, listed))

"""The names that LiteLLM reads from requests, found in its own code, so that an upgrade cannot open a hole silently.

Every name that LiteLLM could take from a body is in its source as a string, or as a parameter of a function that gets
the body as keywords. A field that is not in ``api_fields`` passes only if its name is neither. That is more than
LiteLLM really reads: a field that is refused without need can be added there, or by the operator
(``router_allowed_parameters``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

# LiteLLM keeps its own state in names with these prefixes.
INTERNAL_PREFIXES = ("_", "litellm_", "user_api_key")
_STRING = re.compile(rb"""["']([A-Za-z_][A-Za-z0-9_.-]{0,63})["']""")
_FUNCTION = re.compile(rb"def \w+\(([^)]*)\)")
_PARAMETER = re.compile(rb"(?:^|,)\s*\*{0,2}([a-z_][a-z0-9_]*)")
_FIELD = re.compile(rb"(?m)^\s+([a-z_][a-z0-9_]*)\s*:\s")
# Module and name of LiteLLM's own lists. A missing one stops the start: its content would be unknown.
_CONTROLS = (("litellm.types.utils", "all_litellm_params"),)
_METADATA_CONTROLS = (
    ("litellm.proxy.litellm_pre_call_utils", "_UNTRUSTED_METADATA_CONTROL_FIELDS"),
    ("litellm.proxy.litellm_pre_call_utils", "_UNTRUSTED_ROOT_CONTROL_FIELDS"),
    ("litellm.proxy.litellm_pre_call_utils", "_CLIENT_PRICING_METADATA_FIELDS"),
    ("litellm.proxy.litellm_pre_call_utils", "_ROUTER_RESERVED_METADATA_FIELDS"),
    ("litellm.proxy.auth.auth_utils", "_BANNED_REQUEST_BODY_PARAMS"),
    ("litellm.types.router", "_server_owned_wif_litellm_params"),
)
# Read from the metadata by LiteLLM's router and loggers, and on none of its lists (seen in 1.106.2).
_METADATA_BESIDES = frozenset(
    {
        *("model_group", "deployment", "api_base", "api_key", "headers", "hidden_params", "guardrails", "no-log"),
        *("spend_logs_metadata", "global_max_parallel_requests", "requester_metadata", "requester_ip_address"),
        *("endpoint", "inherited_tags", "caching_groups", "specific_deployment", "deployment_model_name"),
        *("model_map_information", "usage_object", "cold_storage_object_key", "mcp_tool_call_metadata", "parent_id"),
        *("vector_store_request_metadata", "applied_guardrails", "fallbacks", "prompt_management_metadata"),
    }
)


class UnknownLiteLLMError(Exception):
    """The gates do not support this LiteLLM."""

    FIX = "Fix: deploy the version of LiteLLM that docs/images.md names, or try this one first (docs/images.md)."


@dataclass(frozen=True, slots=True)
class LiteLLMNames:
    """``known``: all names in LiteLLM's code. ``controls``, ``metadata_controls``: its lists of what is its own."""

    known: frozenset[str] = frozenset()
    controls: frozenset[str] = frozenset()
    metadata_controls: frozenset[str] = frozenset()

    def knows(self, name: str) -> bool:
        """Whether LiteLLM could take a field of this name for itself."""
        return name.startswith(INTERNAL_PREFIXES) or name in self.known or name in self.controls

    def is_metadata_control(self, name: str) -> bool:
        """Whether LiteLLM acts on an entry of this name in the metadata."""
        return name.startswith(INTERNAL_PREFIXES) or name in self.metadata_controls


def read_names() -> LiteLLMNames:
    """Read the names from the LiteLLM that is installed; takes about a second.

    Raises:
        UnknownLiteLLMError: it has no source to read, or lacks one of the lists.
    """
    package = import_module("litellm").__file__
    root = Path(str(package)).parent
    known = names_in(path.read_bytes() for path in root.rglob("*.py"))
    if not known:
        raise UnknownLiteLLMError(f"{root}: no source of LiteLLM to read. Fix: use an image with LiteLLM's .py files")
    metadata_controls = _listed(_METADATA_CONTROLS) | _METADATA_BESIDES
    return LiteLLMNames(known, _listed(_CONTROLS), metadata_controls)


def names_in(sources: Iterable[bytes]) -> frozenset[str]:
    """Return every string that looks like a name, every parameter and every annotated field in Python *sources*."""
    found: set[bytes] = set()
    for source in sources:
        found.update(_STRING.findall(source))
        found.update(_FIELD.findall(source))
        for parameters in _FUNCTION.findall(source):
            found.update(_PARAMETER.findall(parameters))
    return frozenset(name.decode() for name in found)


def _listed(lists: Iterable[tuple[str, str]]) -> frozenset[str]:
    names: set[str] = set()
    for module, attribute in lists:
        value = getattr(import_module(module), attribute, None)
        if value is None:
            raise UnknownLiteLLMError(f"{module} has no {attribute}. {UnknownLiteLLMError.FIX}")
        names.update(map(str, value))
    return frozenset(names)

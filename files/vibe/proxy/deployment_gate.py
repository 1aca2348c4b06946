"""The gate on the way out: a call leaves for a deployment of the release, and for one that its request may reach.

LiteLLM asks every callback before each call to a provider (``async_pre_call_deployment_hook``), whichever way it chose
the deployment: by its router, by a fallback, or past both. What is compared is what goes out: model, address and key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from vibe.proxy.passage import current_passage
from vibe.proxy.stopped import DEPLOYMENT, note_attack
from vibe.telemetry.response_headers import printable

_REFERENCE = "os.environ/"
_ADDRESSES = ("api_base", "base_url")
# In a model's name it makes LiteLLM use the Responses API (Messages with thinking, on an openai/ pool).
_THROUGH_RESPONSES = "responses/"
# Headers that would replace the deployment's own key or address.
_CREDENTIALS = frozenset(
    ("authorization", "x-api-key", "api-key", "x-goog-api-key", "host", "cookie", "proxy-authorization")
)
_HEADER_FIELDS, _SCOPED_HEADERS = ("headers", "extra_headers"), "provider_specific_header"
_FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


class DeploymentRefusedError(Exception):
    """A call that no deployment of the release explains. LiteLLM answers with the status of this name."""

    status_code = 403
    message = "This request was stopped: it would have left the models that the gateway is configured for."

    def __init__(self) -> None:
        """Set the message that a client may read."""
        super().__init__(self.message)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment as the release configures it: its ``group``, and the form of a call to it."""

    group: str
    model: str
    address: str | None
    key: str | None
    headers: frozenset[str] = frozenset()

    def explains(self, call: Mapping[str, Any]) -> bool:
        """Whether *call*, the arguments of LiteLLM's call to a provider, is one to this deployment."""
        address = next((call[name] for name in _ADDRESSES if call.get(name) is not None), None)
        return (
            self._has_model(call.get("model"), call.get("custom_llm_provider"))
            and address == self.address
            and call.get("api_key") == self.key
            and _credentials(call) <= self.headers
        )

    def _has_model(self, model: object, provider: object) -> bool:
        if not isinstance(model, str):
            return False
        # LiteLLM's adapters between two APIs remove the provider from the name, or add the API to it.
        named, own = model.replace(_THROUGH_RESPONSES, ""), self.model.replace(_THROUGH_RESPONSES, "")
        if own in (named, f"{provider}/{named}"):
            return True
        return own.endswith("/*") and named.startswith(own[:-1])


@dataclass(frozen=True)
class DeploymentGate:
    """All deployments of a release, and which groups a request for a group may fall back to."""

    deployments: tuple[Deployment, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    fallbacks: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts of the deployments' own addresses, which no client needs to know."""
        found = (urlsplit(deployment.address or "").hostname for deployment in self.deployments)
        return frozenset(host for host in found if host)

    @cached_property
    def reached_from(self) -> Mapping[str, frozenset[str]]:
        """The groups that a request for each group, or alias, may reach."""
        return {name: self.groups_from((name,)) for name in {*self.fallbacks, *self.aliases}}

    def groups_from(self, names: Iterable[str]) -> frozenset[str]:
        """Return the groups that a request for one of *names* may reach: themselves, and their fallbacks in turn."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            waiting.extend(self.fallbacks.get(name, ()))
            if name in self.aliases:
                waiting.append(self.aliases[name])
        return frozenset(found)

    def check(self, call: Mapping[str, Any]) -> None:
        """Let *call* pass.

        Raises:
            DeploymentRefusedError: it is to no deployment of the release, or to one that its request may not reach.
        """
        passage = current_passage()
        for deployment in () if passage is not None and passage.is_stopped else self.deployments:
            if (passage is None or _reaches(passage.groups, deployment.group)) and deployment.explains(call):
                return
        if passage is not None:
            # Fail closed: not even an allowed fallback answers this request.
            passage.is_stopped = True
        # No address and no key: they may be secrets.
        note_attack(DEPLOYMENT, f"model={printable(call.get('model'))}")
        raise DeploymentRefusedError


_installed: list[DeploymentGate] = []


def install(gate: DeploymentGate) -> None:
    """Make *gate* the gate of this process and of all its forks."""
    _installed[:] = [gate]


def installed_gate() -> DeploymentGate | None:
    """Return the gate of this process, None where the launcher did not start it (a unit test, a Helm chart)."""
    return _installed[0] if _installed else None


def narrow(group: str) -> None:
    """Let the current request reach *group*, which was decided for it, and its fallbacks alone."""
    passage, gate = current_passage(), installed_gate()
    if passage is not None and gate is not None:
        passage.groups = gate.reached_from.get(group) or gate.groups_from((group,))


def gate_of(config: Mapping[str, Any], environment: Mapping[str, str]) -> DeploymentGate:
    """Return the gate for a release: its LiteLLM *config*, with the *environment* for its references."""
    settings = config.get("router_settings") or {}
    aliases = settings.get("model_group_alias") or {}
    deployments = tuple(_deployment(entry, environment) for entry in config.get("model_list") or [])
    holders = (settings, config.get("litellm_settings") or {})
    defaults = [group for holder in holders for group in holder.get("default_fallbacks") or []]
    fallbacks: dict[str, set[str]] = {entry.group: set(defaults) for entry in deployments}
    for kind in _FALLBACKS:
        for entry in settings.get(kind) or []:
            for group, targets in entry.items():
                fallbacks.setdefault(group, set(defaults)).update(targets)
    return DeploymentGate(
        deployments,
        {name: target["model"] if isinstance(target, dict) else target for name, target in aliases.items()},
        {group: frozenset(targets) for group, targets in fallbacks.items()},
    )


def _deployment(entry: Mapping[str, Any], environment: Mapping[str, str]) -> Deployment:
    parameters = {name: _resolved(value, environment) for name, value in entry["litellm_params"].items()}
    address = next((parameters[name] for name in _ADDRESSES if parameters.get(name) is not None), None)
    return Deployment(
        entry["model_name"], parameters["model"], address, parameters.get("api_key"), _credentials(parameters)
    )


def _resolved(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith(_REFERENCE):
        return environment.get(value[len(_REFERENCE) :])
    return value


def _credentials(call: Mapping[str, Any]) -> frozenset[str]:
    """Return the headers of *call* that carry a key or an address, each with its value."""
    found: set[str] = set()
    for headers in _all_headers(call):
        if isinstance(headers, Mapping):
            found.update(f"{name}: {value}" for name, value in headers.items() if str(name).lower() in _CREDENTIALS)
    return frozenset(found)


def _all_headers(call: Mapping[str, Any]) -> Iterator[Any]:
    yield from map(call.get, _HEADER_FIELDS)
    # LiteLLM's own container: one object, or one for each provider.
    scoped = call.get(_SCOPED_HEADERS)
    for entry in scoped if isinstance(scoped, list | tuple) else [scoped]:
        yield entry.get(_HEADER_FIELDS[-1]) if isinstance(entry, Mapping) else None


def _reaches(groups: frozenset[str], group: str) -> bool:
    """Whether a request for *groups* may reach *group*, which may be a pattern such as ``openai/*``."""
    return group in groups or (group.endswith("/*") and any(name.startswith(group[:-1]) for name in groups))

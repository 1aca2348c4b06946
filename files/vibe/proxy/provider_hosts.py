"""Which hosts a release has to reach: its deployments' addresses, Redis, and the proxies that the environment names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from vibe.routes.gate_settings import Destination, GateSettings

# Providers that need no address, where LiteLLM itself does not say which one they have (get_llm_provider, 1.106.2).
_AWS = ("*.amazonaws.com",)
_AZURE = ("login.microsoftonline.com",)
_GOOGLE = ("*.googleapis.com", "accounts.google.com")
_HOSTS: dict[str, tuple[str, ...]] = {
    "openai": ("api.openai.com",),
    "text-completion-openai": ("api.openai.com",),
    "anthropic": ("api.anthropic.com",),
    "azure": _AZURE,
    "azure_ai": _AZURE,
    "bedrock": _AWS,
    "bedrock_converse": _AWS,
    "sagemaker": _AWS,
    "sagemaker_chat": _AWS,
    "gemini": _GOOGLE,
    "vertex_ai": _GOOGLE,
    "vertex_ai_beta": _GOOGLE,
    "cohere": ("api.cohere.com", "api.cohere.ai"),
    "cohere_chat": ("api.cohere.com", "api.cohere.ai"),
    "huggingface": ("router.huggingface.co", "api-inference.huggingface.co", "*.huggingface.cloud"),
    "openrouter": ("openrouter.ai",),
    "replicate": ("api.replicate.com",),
    "voyage": ("api.voyageai.com",),
}
_PORTS = {"http": 80, "https": 443}
_ADDRESSES = ("api_base", "base_url")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_REFERENCE = "os.environ/"
AddressOf = Callable[[str], str | None]


def destinations_of(
    config: Mapping[str, Any], environment: Mapping[str, str], settings: GateSettings, address_of: AddressOf
) -> tuple[tuple[Destination, ...], list[str]]:
    """Return the hosts that a release has to connect to, and what is unknown about them, one sentence each.

    *address_of* returns LiteLLM's own address of a model's provider, None if it has none.
    """
    found: list[Destination] = [*settings.allowed_hosts, *settings.media_hosts]
    faults: list[str] = []
    for entry in config.get("model_list") or []:
        parameters = {name: _resolved(value, environment) for name, value in entry["litellm_params"].items()}
        hosts = list(_deployment_hosts(parameters, address_of))
        if not hosts and not settings.allowed_hosts:
            faults.append(
                f"config.yaml: model {entry['model_name']}: the address of {parameters['model']} is not known, and the "
                "router connects to known hosts alone. Fix: set api_base, or list its hosts in router_allowed_hosts"
            )
        found += hosts
    found += _redis(config, environment)
    for name in _PROXIES:
        found += _of_url(environment.get(name) or environment.get(name.lower()) or "")
    return tuple(dict.fromkeys(found)), faults


def _deployment_hosts(parameters: Mapping[str, Any], address_of: AddressOf) -> Iterator[Destination]:
    model = str(parameters["model"])
    provider = parameters.get("custom_llm_provider") or model.partition("/")[0]
    for value in parameters.values():
        # Not api_base alone: several providers have addresses of their own (aws_bedrock_runtime_endpoint, …).
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            yield from _of_url(value)
    hosts = _HOSTS.get(str(provider), ())
    if not any(parameters.get(name) for name in _ADDRESSES):
        yield from _of_url(address_of(model) or "")
    elif provider in ("openai", "anthropic", "text-completion-openai"):
        # CRITICAL: a deployment with an address of its own must not reach the provider's.
        hosts = ()
    yield from (Destination(host) for host in hosts)


def _redis(config: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Destination]:
    general, litellm, router = (config.get(f"{part}_settings") or {} for part in ("general", "litellm", "router"))
    for holder, prefix in (
        (general.get("coordination_redis"), ""),
        (litellm.get("cache_params"), ""),
        (router, "redis_"),
    ):
        host = _resolved((holder or {}).get(f"{prefix}host"), environment)
        if isinstance(host, str) and host:
            port = _resolved((holder or {}).get(f"{prefix}port"), environment)
            yield Destination(host.lower(), int(port) if port else None)


def _of_url(address: str) -> list[Destination]:
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return []
    return [Destination(host, port)] if host else []


def _resolved(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith(_REFERENCE):
        return environment.get(value[len(_REFERENCE) :])
    return value

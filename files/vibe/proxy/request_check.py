"""Rebuild the body of a request from the fields of its API, or refuse it with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from vibe.proxy.api_fields import LITELLM_METADATA, METADATA, MODEL, Api, check_of, is_left_out
from vibe.proxy.litellm_names import LiteLLMNames
from vibe.proxy.refusal import RefusedError
from vibe.proxy.shapes import name as name_check
from vibe.proxy.shapes import names as names_check
from vibe.proxy.size import size_fault
from vibe.request.explicit_choice import METADATA_KEY
from vibe.routes.gate_settings import DEFAULT_LIMITS, Limits
from vibe.telemetry.response_headers import printable

UNSUPPORTED, MODEL_NOT_FOUND, MODEL_NOT_ALLOWED = "unsupported_parameter", "model_not_found", "model_not_allowed"
TOO_LARGE = "request_too_large"
_TAGS = "tags"
# Claude Code sends a JSON document of 200 characters as user_id; OpenAI takes 512.
_LONGEST_ENTRY = 4096
# The router's own, and LiteLLM's names for a conversation, which the router reads (``conversation_id``).
_OWN_ENTRIES = frozenset((METADATA_KEY, "litellm_session_id", "litellm_trace_id"))
_METADATA_FIELDS = (METADATA, LITELLM_METADATA)
_ALLOW_IT = "leave it out, or ask the operator of this gateway for it (router_allowed_parameters)"
# Anthropic's SDKs run their tool loops over threads, and send their history when this is the answer (2.14.0, 1.14.0).
_THREAD, _THREAD_UNSUPPORTED = "thread", "thread_unsupported_request"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a release allows in requests.

    ``models``: every name that a client may request, patterns such as ``openai/*`` included. ``names``: what LiteLLM
    reads from requests. ``allowed``: further fields that pass although LiteLLM knows their names. ``aliases``: other
    names of models, patterns included, and the model of each.
    """

    models: frozenset[str]
    names: LiteLLMNames = field(default_factory=LiteLLMNames)
    allowed: frozenset[str] = frozenset()
    limits: Limits = DEFAULT_LIMITS
    aliases: Mapping[str, str] = field(default_factory=dict)

    def model_for(self, name: str) -> str:
        """Return the model that a client means by *name*: an alias counts only where there is no such model."""
        if not self.aliases or self.has_model(name):
            return name
        return next((model for pattern, model in self.aliases.items() if fnmatchcase(name, pattern)), name)

    def has_model(self, model: str) -> bool:
        """Whether a client may request *model*."""
        return model in self.models or any("*" in known and fnmatchcase(model, known) for known in self.models)


def rebuilt(body: object, api: Api, policy: Policy, models: tuple[str, ...] = ()) -> dict[str, object]:
    """Return a new body with the fields of *body* that *api* has; *models*: those that the client may ask for, or all.

    Raises:
        RefusedError: with what is wrong, and the fix.
    """
    if not isinstance(body, dict):
        raise RefusedError("The request body must be one JSON object. Fix: send an object with the API's fields.")
    fault = size_fault(body, policy.limits)
    if fault:
        raise RefusedError(f"The request body is too large: {fault}. Fix: send less.", status=413, code=TOO_LARGE)
    kept = {key: value for key, value in body.items() if value is not None and _passes(key, value, api, policy)}
    if isinstance(kept.get(MODEL), str):
        kept[MODEL] = policy.model_for(str(kept[MODEL]))
    _check_model(kept, policy, models)
    for holder in _METADATA_FIELDS:
        if holder in kept:
            kept[holder] = _metadata(holder, kept[holder], policy)
    return kept


def _passes(key: str, value: object, api: Api, policy: Policy) -> bool:
    """Return whether a field is kept; False omits it silently."""
    check = check_of(key, api)
    if check is not None:
        fault = check(value, policy.limits)
        if fault:
            raise RefusedError(f"{key}: {fault}. Fix: send it as the API documents it.", param=key, code="invalid_type")
        return True
    if key in policy.allowed:
        return True
    if is_left_out(key):
        return False
    if key == _THREAD and api.is_anthropic:
        raise RefusedError(
            "thread: threads are not kept here. Fix: send the whole history with each request.",
            param=_THREAD,
            details={"error_code": _THREAD_UNSUPPORTED, "unsupported": [_THREAD]},
        )
    if len(key) > policy.limits.name_chars or policy.names.knows(key):
        fix = "leave it out" if key in policy.names.controls else _ALLOW_IT
        raise RefusedError(
            f"Unsupported parameter: {printable(key)!r} is no field of this API that is passed on. Fix: {fix}.",
            param=printable(key),
            code=UNSUPPORTED,
        )
    return True


def _check_model(body: Mapping[str, object], policy: Policy, models: tuple[str, ...]) -> None:
    model = body.get(MODEL)
    if not isinstance(model, str):
        raise RefusedError("model: is missing. Fix: name one of those that GET /v1/models lists.", param=MODEL)
    if models and model not in models:
        raise RefusedError(
            f"This API key may not ask for this model. It may ask for: {','.join(models)}.",
            status=403,
            param=MODEL,
            code=MODEL_NOT_ALLOWED,
        )
    if not policy.has_model(model):
        raise no_such_model(model)


def no_such_model(name: str) -> RefusedError:
    """Return the refusal of a model that does not exist."""
    return RefusedError(
        f"The model `{printable(name)}` does not exist. GET /v1/models lists those that do.",
        status=404,
        param=MODEL,
        code=MODEL_NOT_FOUND,
    )


def _metadata(holder: str, value: object, policy: Policy) -> dict[str, object]:
    """Return the entries of a *holder* of metadata: single values, and tags.

    OpenAI and Anthropic have nothing else in it; what LiteLLM acts on comes as objects and lists, or by these names.
    """
    assert isinstance(value, dict)
    if len(value) > policy.limits.names:
        raise RefusedError(
            f"{holder}: must not have more than {policy.limits.names} entries (router_limits.names). Fix: send fewer.",
            param=holder,
        )
    for key, entry in value.items():
        place = f"{holder}.{printable(key)}"
        if key == _TAGS:
            fault = names_check(entry, policy.limits)
        elif policy.names.is_metadata_control(key) and key not in _OWN_ENTRIES:
            raise RefusedError(
                f"Unsupported parameter: {place} is the gateway's own. Fix: leave it out, or choose another name.",
                param=place,
                code=UNSUPPORTED,
            )
        elif isinstance(entry, str):
            fault = None if len(entry) <= _LONGEST_ENTRY else f"must not be longer than {_LONGEST_ENTRY} characters"
        else:
            fault = None if entry is None or isinstance(entry, int | float) else "must be a string, a number or a flag"
        fault = fault or name_check(key, policy.limits)
        if fault:
            raise RefusedError(f"{place}: {fault}. Fix: send it as the API documents it.", param=place)
    return value

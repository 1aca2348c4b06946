"""Which failures put a deployment aside for all clients: failures of its health, none that a client provokes.

LiteLLM counts a 404, and every error of its own code, against the deployment that was asked (1.106.2), so a client that
provokes a few of them takes a pool from all others for ``router_cooldown_time``. It asks ``_should_run_cooldown_logic``
about each failure; this module adds a condition to that function.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vibe.proxy.litellm_names import UnknownLiteLLMError

# An upstream that refuses the release's key, wants payment, is too slow, is overloaded, or is broken.
_OF_HEALTH = frozenset((401, 402, 408, 429))
_BROKEN = 500
# What Python raises when a request makes LiteLLM's own code fail.
_STUMBLES = (TypeError, KeyError, AttributeError, IndexError, ValueError, AssertionError, RecursionError)
# By name: the classes come from several HTTP libraries.
_OF_TRANSPORT = ("httpx", "httpx2", "httpcore", "aiohttp", "openai", "anthropic")
_FUNCTION = "_should_run_cooldown_logic"


def is_of_health(status: object, error: BaseException) -> bool:
    """Whether a failure with this *status* and *error* is a sign of the upstream's health."""
    code = int(str(status)) if str(status).isdigit() else _BROKEN
    if code not in _OF_HEALTH and code < _BROKEN:
        return False
    chain = list(_chain(error))
    if any(_is_of_transport(one) for one in chain):
        return True
    return not any(isinstance(one, _STUMBLES) for one in chain)


def keep_to_health() -> None:
    """Have LiteLLM put a deployment aside only for such failures.

    Raises:
        UnknownLiteLLMError: this LiteLLM decides elsewhere.
    """
    from litellm.router_utils import cooldown_handlers  # part of the LiteLLM image

    decide = getattr(cooldown_handlers, _FUNCTION, None)
    if decide is None:
        raise UnknownLiteLLMError(f"{cooldown_handlers.__name__} has no {_FUNCTION}. {UnknownLiteLLMError.FIX}")

    def decide_by_health(
        litellm_router_instance: Any,
        deployment: Any,
        exception_status: Any,
        original_exception: Exception,
        *arguments: Any,
        **options: Any,
    ) -> bool:
        if not is_of_health(exception_status, original_exception):
            return False
        return bool(
            decide(litellm_router_instance, deployment, exception_status, original_exception, *arguments, **options)
        )

    setattr(cooldown_handlers, _FUNCTION, decide_by_health)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]


def _is_of_transport(error: BaseException) -> bool:
    if isinstance(error, OSError):
        # Time-outs and connections: TimeoutError is one too.
        return True
    # CRITICAL: not LiteLLM's own errors, which inherit from openai's; it is the library that raised that counts.
    return type(error).__module__.partition(".")[0] in _OF_TRANSPORT

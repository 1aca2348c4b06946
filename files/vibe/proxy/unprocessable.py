"""An upstream's 422 reaches the client: LiteLLM answers 200 with ``null`` instead.

With ``drop_params``, LiteLLM takes the fields that a 422 names out of the request and sends it again, at most twice,
and then returns nothing at all (llms/openai/openai.py in 1.106.12). A 422 that names no field can only be passed on.
"""

from __future__ import annotations

from typing import Any

from vibe.proxy.litellm_names import UnknownLiteLLMError

_FUNCTION = "drop_params_from_unprocessable_entity_error"


class _Reduced(dict[str, Any]):
    """A request from which fields were taken out: it is sent once more, and not again."""


def pass_on_unprocessable() -> None:
    """Have LiteLLM raise a 422 that names nothing to take out, and the second one in any case.

    Raises:
        UnknownLiteLLMError: this LiteLLM handles a 422 elsewhere.
    """
    from litellm.llms.openai import openai  # part of the LiteLLM image

    drop = getattr(openai, _FUNCTION, None)
    if drop is None:
        raise UnknownLiteLLMError(f"{openai.__name__} has no {_FUNCTION}. {UnknownLiteLLMError.FIX}")

    def drop_or_raise(error: Exception, data: dict[str, Any]) -> dict[str, Any]:
        left: dict[str, Any] = drop(error, data)
        if left == data or isinstance(data, _Reduced):
            raise error
        return _Reduced(left)

    setattr(openai, _FUNCTION, drop_or_raise)

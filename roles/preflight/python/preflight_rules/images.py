"""Rules across the variables of the images role."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .finding import Rules, Variables

rules = Rules()

_FIX = "use another release, and examine every machine that has run this one"


def _compromised(version: str, variables: Variables) -> Iterator[str]:
    if version in [str(refused) for refused in variables["images_refused_litellm"]]:
        yield f"LiteLLM {version} is in images_refused_litellm: it is known to be compromised"


@rules("images_litellm_version", fix=_FIX)
def built_release_is_sound(variables: Variables) -> Iterator[str]:
    return _compromised(str(variables["images_litellm_version"]), variables)


@rules("images_litellm_pull_reference", fix=_FIX)
def pulled_release_is_sound(variables: Variables) -> Iterator[str]:
    return _compromised(re.sub(r"^.*:v?", "", str(variables["images_litellm_pull_reference"])), variables)

"""Prints every name that LiteLLM takes from a request, as JSON: its lists, signatures, types and its router's code.

Runs inside the router's container, so that the names are those of the LiteLLM that serves.
"""

import inspect
import json
import re
from pathlib import Path

import litellm
from litellm import Router
from litellm.proxy import litellm_pre_call_utils
from litellm.proxy.auth import auth_utils
from litellm.types.router import GenericLiteLLMParams, LiteLLM_Params
from litellm.types.utils import all_litellm_params

ENTRIES = ("acompletion", "aresponses", "aembedding", "atext_completion", "completion", "responses", "embedding")
# Code that reads a request's body, or an object made from it, by a name.
TAKEN = re.compile(
    r"""(?:kwargs|data|body|params|metadata|settings|override)(?:\.get|\.pop|\.setdefault)?\s*[(\[]\s*["']([A-Za-z_][\w-]*)["']"""
    r"""|["']([A-Za-z_][\w-]*)["'] in (?:kwargs|data|body|request_data|metadata)"""
)
FILES = ("router.py", "main.py", "utils.py", "proxy/utils.py", "proxy/*request*.py", "proxy/litellm_pre_call_utils.py")
FOLDERS = ("router_utils", "litellm_core_utils", "responses", "proxy/auth", "proxy/hooks")


def names() -> set[str]:
    """Return the names."""
    found = {*map(str, all_litellm_params), *auth_utils._BANNED_REQUEST_BODY_PARAMS}
    for name, value in vars(litellm_pre_call_utils).items():
        if name.isupper() and isinstance(value, tuple | frozenset | set | list):
            found.update(map(str, value))
    found |= {*GenericLiteLLMParams.model_fields, *LiteLLM_Params.model_fields}
    entries = [getattr(litellm, name) for name in ENTRIES]
    for function in (*entries, *(value for value in vars(Router).values() if inspect.isfunction(value))):
        found.update(inspect.signature(function).parameters)
    root = Path(litellm.__file__).parent
    paths = [path for pattern in FILES for path in root.glob(pattern)]
    paths += [path for folder in FOLDERS for path in (root / folder).rglob("*.py")]
    for path in paths:
        for groups in TAKEN.findall(path.read_text(encoding="utf-8")):
            found.update(filter(None, groups))
    return found - {"self"}


if __name__ == "__main__":
    print(json.dumps(sorted(names())))

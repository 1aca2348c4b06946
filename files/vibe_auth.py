"""LiteLLM's custom_auth: who asks, as the gateway says it, judged by LiteLLM's own checks of what a key may do.

LiteLLM loads this file from the folder of its configuration (``general_settings.custom_auth``), as it does
``vibe_router.py``. Without it LiteLLM has one key for everybody, who may do everything.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any

from litellm.proxy._types import LitellmUserRoles, ProxyException, UserAPIKeyAuth  # part of the LiteLLM image
from vibe.proxy.client_identity import client_of

_OWN_KEY = "LITELLM_MASTER_KEY"


async def authenticate(request: Any, api_key: str | None) -> UserAPIKeyAuth:
    """Return what LiteLLM is to know of the client behind *request*, which came with *api_key*.

    Raises:
        ProxyException: 401, the key is not LiteLLM's own.
    """
    own_key = os.environ[_OWN_KEY]
    client = client_of(request.headers, api_key or "", own_key)
    if client is None:
        raise ProxyException("This router does not know the API key.", "invalid_request_error", None, 401)
    # Of the client and not of the key, which all share: conversations of two clients are never one.
    digest = sha256(f"{client.name} {own_key}".encode()).hexdigest()
    return UserAPIKeyAuth(
        api_key=digest,
        # The owner of stored responses: LiteLLM writes it into their ids, and compares.
        user_id=digest,
        key_alias=client.name,
        user_role=LitellmUserRoles.PROXY_ADMIN if client.is_operator else LitellmUserRoles.INTERNAL_USER,
        models=list(client.models),
    )

"""The pool that gave a stored response, read from the response's id.

LiteLLM puts the deployment into each id of the Responses API and encrypts it with the release's key, so every worker
and host can read it, and no client can make one (responses/utils.py, hooks/responses_id_security.py in 1.106.12).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

_FIELD = "previous_response_id"
_PROXY = "litellm.proxy.proxy_server"


def answering_pool(data: Mapping[str, object]) -> str | None:
    """Return the pool that gave the response which the request *data* continues, None if that is unknown."""
    response_id = data.get(_FIELD)
    router = getattr(sys.modules.get(_PROXY), "llm_router", None)
    if not isinstance(response_id, str) or router is None:
        return None
    # Loaded already: LiteLLM's proxy has them.
    from litellm.proxy.hooks.responses_id_security import ResponsesIDSecurity
    from litellm.responses.utils import ResponsesAPIRequestUtils

    original, _, _ = ResponsesIDSecurity()._decrypt_response_id(response_id)
    deployment_id = ResponsesAPIRequestUtils.decode_responses_api_response_id(original).get("model_id")
    deployment = router.get_deployment(model_id=deployment_id) if deployment_id else None
    return None if deployment is None else str(deployment.model_name)

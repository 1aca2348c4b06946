"""The layer between a client and LiteLLM: LiteLLM obeys nothing that a client sends.

A request passes three gates. On the way in, ``request_gate`` reads the body once (``body_encoding`` unpacks it) and
rebuilds it from the fields of the API that was asked (``api_fields``, ``shapes``, ``request_check``), within bounds
(``size``); a field that LiteLLM would take for itself (``litellm_names``) is refused. On the way out,
``deployment_gate`` lets a call pass only to a deployment that the release configures for the pool that was decided. And
``egress`` lets the process reach the providers alone. ``passage`` carries from one gate to the other what a request may
do. ``model_by_name`` answers for one model from the list of all. ``cooldowns`` and ``unprocessable`` change what
LiteLLM makes of an upstream's errors; ``upstream_failure`` reads them, and ``upstream_answer`` passes them on. ``asgi``
has the types of the layers.
"""

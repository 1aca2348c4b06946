"""The request parameters that each API documents: what the `strict` control lets through."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CHAT_PARAMETERS = _names(
    """
    audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
    metadata modalities model n parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream
    stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options
    """
)
COMPLETIONS_PARAMETERS = _names(
    """
    best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty prompt seed stop stream
    stream_options suffix temperature top_p user
    """
)
RESPONSES_PARAMETERS = _names(
    """
    background context_management conversation include input instructions max_output_tokens max_tool_calls metadata
    model parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning
    safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p
    truncation user
    """
)
MESSAGES_PARAMETERS = _names(
    """
    container context_management max_tokens mcp_servers messages metadata model output_config output_format
    safeguards service_tier stop_sequences stream system temperature thinking tool_choice tools top_k top_p
    """
)
EMBEDDINGS_PARAMETERS = _names("dimensions encoding_format input model user")

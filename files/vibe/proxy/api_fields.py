"""The APIs that clients may ask, and the fields of each: what a request is rebuilt from.

The names are those of OpenAI's and Anthropic's own SDKs (tests/unit/test_request_gate.py compares them where those are
installed), and of vLLM, SGLang, llama.cpp, Mistral and DeepSeek where these take more. Not among them, although an API
has them: fields that choose another model or account than the release (``fallbacks``, ``workspace_id``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vibe.proxy import shapes
from vibe.proxy.shapes import Check

MODEL, METADATA, LITELLM_METADATA = "model", "metadata", "litellm_metadata"
# LiteLLM's own fields that clients may use: identifiers for its loggers and the router, tags, and no fallback at all.
_FOR_LITELLM: dict[str, Check] = {
    "litellm_session_id": shapes.name,
    "litellm_trace_id": shapes.name,
    "session_id": shapes.name,
    "tags": shapes.names,
    "disable_fallbacks": shapes.flag,
    METADATA: shapes.mapping,
    LITELLM_METADATA: shapes.mapping,
}
# Left out silently: LiteLLM's own SDK and wrappers of it send them by habit, and the operator has decided them.
DROPPED = frozenset(
    {
        *("timeout", "request_timeout", "stream_timeout", "num_retries", "max_retries", "drop_params"),
        *("cache", "caching", "no-log", "ttl"),
    }
)
_CHOICE = shapes.either(shapes.name, shapes.typed)
_TEXT_OR_MAPPING = shapes.either(shapes.name, shapes.mapping)
_SAMPLING: dict[str, Check] = {
    "frequency_penalty": shapes.number,
    "logit_bias": shapes.mapping,
    "max_tokens": shapes.whole,
    "n": shapes.whole,
    "presence_penalty": shapes.number,
    "seed": shapes.whole,
    "stop": shapes.either(shapes.name, shapes.names),
    "stream": shapes.flag,
    "stream_options": shapes.mapping,
    "temperature": shapes.number,
    "top_p": shapes.number,
    "user": shapes.name,
}
# Of compatible servers, which LiteLLM passes on: vLLM, SGLang, llama.cpp, Mistral, DeepSeek, Qwen.
_COMPATIBLE: dict[str, Check] = {
    **dict.fromkeys(("top_k", "min_tokens", "mirostat", "random_seed", "repeat_last_n", "num_ctx"), shapes.whole),
    **dict.fromkeys(("num_predict", "truncate_prompt_tokens", "priority", "thinking_budget"), shapes.whole),
    **dict.fromkeys(("min_p", "typical_p", "tfs_z", "repetition_penalty", "repeat_penalty"), shapes.number),
    **dict.fromkeys(("length_penalty", "mirostat_tau", "mirostat_eta"), shapes.number),
    **dict.fromkeys(("enable_thinking", "ignore_eos", "skip_special_tokens", "use_beam_search"), shapes.flag),
    **dict.fromkeys(("spaces_between_special_tokens", "include_reasoning", "add_generation_prompt"), shapes.flag),
    **dict.fromkeys(("continue_final_message", "safe_prompt", "return_token_ids"), shapes.flag),
    **dict.fromkeys(("guided_regex", "guided_grammar", "guided_decoding_backend", "grammar"), shapes.text),
    **dict.fromkeys(("guided_json", "json_schema"), shapes.either(shapes.text, shapes.mapping)),
    "guided_choice": shapes.names,
    "chat_template_kwargs": shapes.mapping,
}
_CHAT: dict[str, Check] = {
    **_SAMPLING,
    **_COMPATIBLE,
    **_FOR_LITELLM,
    MODEL: shapes.name,
    "messages": shapes.messages,
    "audio": shapes.mapping,
    "function_call": _TEXT_OR_MAPPING,
    "functions": shapes.tools,
    "logprobs": shapes.flag,
    "max_completion_tokens": shapes.whole,
    "modalities": shapes.names,
    "moderation": shapes.mapping,
    "parallel_tool_calls": shapes.flag,
    "prediction": shapes.mapping,
    "prompt_cache_key": shapes.name,
    "prompt_cache_options": shapes.mapping,
    "prompt_cache_retention": shapes.name,
    "reasoning": shapes.mapping,
    "reasoning_effort": _TEXT_OR_MAPPING,
    "response_format": shapes.mapping,
    "safety_identifier": shapes.name,
    "service_tier": shapes.name,
    "store": shapes.flag,
    "thinking": shapes.mapping,
    "tool_choice": _CHOICE,
    "tools": shapes.tools,
    "top_logprobs": shapes.whole,
    "verbosity": shapes.name,
    "web_search_options": shapes.mapping,
}
_COMPLETIONS: dict[str, Check] = {
    **_SAMPLING,
    **_COMPATIBLE,
    **_FOR_LITELLM,
    MODEL: shapes.name,
    "prompt": shapes.prompts,
    "best_of": shapes.whole,
    "echo": shapes.flag,
    "logprobs": shapes.whole,
    "suffix": shapes.text,
}
_EMBEDDINGS: dict[str, Check] = {
    **_FOR_LITELLM,
    MODEL: shapes.name,
    "input": shapes.prompts,
    "dimensions": shapes.whole,
    "encoding_format": shapes.name,
    "input_type": shapes.name,
    "user": shapes.name,
}
_RESPONSES: dict[str, Check] = {
    **_FOR_LITELLM,
    MODEL: shapes.name,
    "input": shapes.input_items,
    "access_programs": shapes.mapping,
    "background": shapes.flag,
    "background_options": shapes.mapping,
    "client_metadata": shapes.mapping,
    "context_management": shapes.either(shapes.mapping, shapes.items),
    "conversation": _TEXT_OR_MAPPING,
    "image": shapes.mapping,
    "include": shapes.names,
    "instructions": shapes.text,
    "max_output_tokens": shapes.whole,
    "max_tool_calls": shapes.whole,
    "moderation": shapes.mapping,
    "parallel_tool_calls": shapes.flag,
    "previous_response_id": shapes.name,
    "prompt": shapes.mapping,
    "prompt_cache_key": shapes.name,
    "prompt_cache_options": shapes.mapping,
    "prompt_cache_retention": shapes.name,
    "reasoning": shapes.mapping,
    "safety_identifier": shapes.name,
    "service_tier": shapes.name,
    "store": shapes.flag,
    "stream": shapes.flag,
    "stream_options": shapes.mapping,
    "temperature": shapes.number,
    "text": shapes.mapping,
    "tool_choice": _CHOICE,
    "tools": shapes.tools,
    "top_logprobs": shapes.whole,
    "top_p": shapes.number,
    "truncation": shapes.name,
    "user": shapes.name,
}
_MESSAGES: dict[str, Check] = {
    **_FOR_LITELLM,
    MODEL: shapes.name,
    "messages": shapes.messages,
    "betas": shapes.names,
    "cache_control": shapes.mapping,
    "compaction": shapes.mapping,
    "container": _TEXT_OR_MAPPING,
    "context_management": shapes.mapping,
    "diagnostics": shapes.mapping,
    "inference_geo": shapes.name,
    "max_tokens": shapes.whole,
    "mcp_servers": shapes.tools,
    "output_config": shapes.mapping,
    "output_format": shapes.mapping,
    "prefill": shapes.either(shapes.text, shapes.mapping, shapes.items),
    "reasoning_effort": _TEXT_OR_MAPPING,
    # What Claude Code's auto mode asks for; the SDK does not have it yet.
    "safeguards": shapes.items,
    "service_tier": shapes.name,
    "speed": shapes.name,
    "stop_sequences": shapes.names,
    "stream": shapes.flag,
    "system": shapes.system,
    "temperature": shapes.number,
    "thinking": shapes.mapping,
    "tool_choice": shapes.typed,
    "tools": shapes.tools,
    "top_k": shapes.whole,
    "top_p": shapes.number,
}


@dataclass(frozen=True, slots=True)
class Api:
    """One API: its ``name``, its ``fields``, and whether its errors are in Anthropic's words.

    ``takes_others``: whether LiteLLM translates fields of the other APIs, or leaves out what a model does not take.
    """

    name: str
    fields: Mapping[str, Check]
    is_anthropic: bool = False
    takes_others: bool = True


CHAT = Api("chat", _CHAT)
COMPLETIONS = Api("completions", _COMPLETIONS, takes_others=False)
EMBEDDINGS = Api("embeddings", _EMBEDDINGS, takes_others=False)
RESPONSES = Api("responses", _RESPONSES)
MESSAGES = Api("messages", _MESSAGES, is_anthropic=True)
APIS = (CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, MESSAGES)
_BY_PATH = {
    "/chat/completions": CHAT,
    "/completions": COMPLETIONS,
    "/embeddings": EMBEDDINGS,
    "/responses": RESPONSES,
    "/responses/compact": RESPONSES,
    "/responses/input_tokens": RESPONSES,
    "/messages": MESSAGES,
    "/messages/count_tokens": MESSAGES,
}
_STORED_RESPONSES = "/responses/"
_MODELS = "/models"
_ANYWHERE = {name: check for api in APIS for name, check in api.fields.items()}
# What a reader may add to the address: OpenAI's of stored responses; Anthropic's, and Codex's, of the list of models.
_READING = frozenset(
    ("include", "include[]", "include_obfuscation", "stream", "starting_after", "limit", "order", "after")
)
_LISTING = frozenset(("limit", "after_id", "before_id", "client_version"))


def api_of(path: str) -> Api | None:
    """Return the API of *path* that takes a body, None if it is none of them."""
    return _BY_PATH.get(_without_version(path))


def check_of(field: str, api: Api) -> Check | None:
    """Return how a *field* of a request to *api* is checked, None if it is not a field of the API."""
    return api.fields.get(field) or (_ANYWHERE.get(field) if api.takes_others else None)


def is_left_out(field: str) -> bool:
    """Whether a *field* that an API does not have is left out silently: a habit, or another API's."""
    return field in DROPPED or field in _ANYWHERE


def is_stored_response(path: str) -> bool:
    """Whether *path* names one stored response, or a part of one."""
    return _without_version(path).startswith(_STORED_RESPONSES) and api_of(path) is None


def query_names(path: str) -> frozenset[str]:
    """Return the names that the query of a request without a body may have."""
    if is_stored_response(path):
        return _READING
    return _LISTING if _without_version(path).startswith(_MODELS) else frozenset()


def model_named_in(path: str) -> str | None:
    """Return the model that *path* asks for by its name, None if it is another path."""
    before, slash, name = _without_version(path).partition(f"{_MODELS}/")
    return name if slash and name and not before else None


def is_anthropic(path: str, version: str = "") -> bool:
    """Whether the caller of *path* expects Anthropic's form; *version* is the header of its clients.

    Both APIs list models at the same path.
    """
    api = api_of(path)
    if api is None:
        return bool(version) and _without_version(path).startswith(_MODELS)
    return api.is_anthropic


def _without_version(path: str) -> str:
    return path.removeprefix("/v1")

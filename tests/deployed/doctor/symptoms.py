"""Known symptoms in a line of a log or an answer: what each means, and the fix.

Besides the toolkit's own: reports of LiteLLM's users, with the issue's number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FULL_DISK = "docs/runbooks.md: a full disk"
MOST_QUOTED = 300
_KEY = re.compile(r"\b(sk-|Bearer )[\w.-]{6,}")


@dataclass(frozen=True)
class Symptom:
    """A pattern, its meaning, and the fix."""

    pattern: str
    meaning: str
    fix: str


LOGS = (
    Symptom(r"No space left on device", "the disk is full", FULL_DISK),
    Symptom(
        r"(?i)address already in use|port is already allocated",
        "another program uses its port",
        "`ss -ltnp` on that host shows which; stop it, or choose another port: router_slots, gateway_port",
    ),
    Symptom(
        r"(?i)bad file format reading the append only file|unexpected end of file reading the append only",
        "Redis' append-only file is truncated",
        "`redis-check-aof --fix` on its file; or remove it: conversations and cooldowns start again",
    ),
    Symptom(
        r"(?i)can't reach database server|P1001|prisma.*(error|fail)",
        "LiteLLM has a database configured and cannot reach it",
        "the toolkit needs none: remove database_url from the configuration (38121: readiness is 200 nevertheless)",
    ),
    Symptom(
        r"(?:ModuleNotFoundError|ImportError)[^\n]*vibe|vibe_router[^\n]*(?:Error|No such file)|No module named 'vibe",
        "the plug-in cannot be loaded",
        "./deploy.sh ships it again; `git status` shows whether files/ was changed by hand",
    ),
    Symptom(
        r"(?i)read-only file system|permission denied",
        "it cannot read or write a path that it needs",
        "a mount or a mode was changed by hand: ./deploy.sh drift shows it (13369, 19859, 34236)",
    ),
    Symptom(
        r"(?i)yaml\.(scanner|parser)|error parsing yaml|invalid yaml",
        "its configuration is not valid YAML",
        "it was edited by hand: ./deploy.sh renders it again",
    ),
    Symptom(r"MemoryError|Cannot allocate memory", "it ran out of memory", "router_memory_limit; free memory there"),
)

HEALTH_CHECKS = (
    Symptom(
        r"(curl|wget)\S*: .*not found|exec: \"(curl|wget)\"|\"(curl|wget)\": executable file not found",
        "the health check uses a program that the image does not have",
        "the toolkit's uses python3 (9295, 9479, 17645, 19626): replace your own compose file with ./deploy.sh",
    ),
)

UPSTREAMS = (
    Symptom(
        r"(?i)\$\{\w+\}",
        "the key is the name of a shell variable",
        "LiteLLM replaces only os.environ/NAME: use that in models.yml, with NAME in secrets.yml",
    ),
    Symptom(
        r"(?i)name or service not known|no address associated|name resolution|getaddrinfo|nodename nor servname",
        "the host of its api_base has no address",
        "api_base of the pool in models.yml; DNS of the container: `docker exec ... getent hosts NAME`",
    ),
    Symptom(
        r"(?i)certificate verify failed|self.signed certificate",
        "its certificate is not trusted",
        "a TLS-inspecting proxy or a private authority: its certificate must be in the image",
    ),
    Symptom(
        r"(?i)connection error|connect call failed|cannot connect|connection refused|all connection attempts failed",
        "nothing answers at its api_base",
        "is it up, and can that host reach it? A firewall or a missing proxy: router_environment HTTPS_PROXY",
    ),
    Symptom(
        r"(?i)timed? ?out",
        "it does not answer in time",
        "the provider is slow or a firewall drops: router_request_timeout, router_stream_timeout",
    ),
    Symptom(
        r"(?i)unsupported ?param|does not support parameters|unknown parameter|drop_params",
        "it does not accept a parameter that was sent",
        "drop_params in litellm_settings, which the toolkit sets, was removed",
    ),
    Symptom(
        r"(?i)no deployments? available|no healthy deployment|invalid model name",
        "LiteLLM has no deployment of it",
        "a wrong model_info (tier must be free or paid) drops one silently; see the first lines of the slot's log",
    ),
)

# What clients show their users, as those paste it.
CLIENTS = (
    Symptom(
        r"thread_unsupported_request|threads are not kept|message.threads",
        "the client keeps its history in a thread of the API, which the gateway does not have",
        "Anthropic's SDKs send the history by themselves after this answer: update them (2.14, TypeScript 1.14)",
    ),
    Symptom(
        r"doesn't recognize the model|context window of 1m|/ ?1m tokens|prompt is too long|context_length_exceeded",
        "the conversation is longer than the model's context window, which the client does not know",
        "./deploy.sh env --client claude-code sets CLAUDE_CODE_MAX_CONTEXT_TOKENS; for Codex: model_context_window",
    ),
    Symptom(
        r"(?i)model `?[^` ]+`? does not exist|model_not_found|There's an issue with the selected model",
        "the gateway has no model of this name",
        "GET /v1/models lists the names; for names that a client has built in: router_model_aliases",
    ),
    Symptom(
        r"path is not served|unknown_url|404 page not found|/v1/v1/",
        "the client's base URL is wrong",
        "OpenAI clients: http://HOST:PORT/v1; Anthropic clients: without /v1. ./deploy.sh env prints both",
    ),
    Symptom(
        r"ANTHROPIC_API_KEY|AI_LoadAPIKeyError|Illegal header value b'Bearer '|OPENAI_API_KEY",
        "the client finds no key",
        'eval "$(./deploy.sh env)" in the same shell exports the keys that OpenAI and Anthropic clients read',
    ),
    Symptom(
        r"(?i)overloaded|\b529\b|rate_limit|\b429\b",
        "the provider, or a limit of the gateway, asks the client to wait",
        "the error names the limit; a second deployment in the pool, or gateway_client_requests_per_minute",
    ),
    Symptom(
        r"(?i)failed to fetch|CORS|access-control-allow-origin",
        "a browser refuses to show the answer to this page",
        "list the page's origin in gateway_cors_origins",
    ),
    Symptom(
        r"(?i)content-encoding|cannot be unpacked",
        "the request is compressed in a way that the gateway does not read",
        "gzip, deflate and zstd are read; turn the client's compression off",
    ),
)

# Status of a provider's answer -> meaning and fix.
STATUSES = {
    401: (
        "the provider refuses the key",
        "its name in secrets.yml, and whether it is of that provider and not revoked",
    ),
    402: ("the provider wants to be paid", "the account's billing"),
    403: ("the key may not use that model", "the rights of the key or project at the provider"),
    404: (
        "the provider does not know that model",
        "model of the pool's deployment in models.yml; api_base with or without /v1",
    ),
    408: ("it does not answer in time", "router_request_timeout; the provider's status page"),
    429: ("the provider's limit is reached", "rpm and tpm of the account; a second deployment in the pool"),
}


def seen(text: str, symptoms: tuple[Symptom, ...]) -> Symptom | None:
    """Return the first symptom that a text shows."""
    return next((symptom for symptom in symptoms if re.search(symptom.pattern, text)), None)


def quoted(text: str) -> str:
    """Return the last meaningful line of a text, without keys."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _KEY.sub(r"\1…", lines[-1])[:MOST_QUOTED] if lines else "nothing"

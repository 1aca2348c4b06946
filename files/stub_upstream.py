#!/usr/bin/env python3
"""Built-in upstream: a small OpenAI- and Anthropic-compatible server for local use and for tests.

It answers /v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings, /v1/messages,
/v1/messages/count_tokens and /v1/models (all without /v1 too), streamed or not, with tool calls and usage figures.
Every answer names the model that was asked for. Faults are asked for by tags in the prompt: see stub/controls.py.
GET /healthz says that it is up; GET /requests lists what was asked of it, without any text (DELETE forgets it).

    python3 stub_upstream.py --host 127.0.0.1 --port 8080
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

import uvicorn
from stub.app import create_app

DEFAULT_MODELS = "stub-mini,stub-strong"
SHUTDOWN_SECONDS = 3
# As nginx before a provider: uvicorn's own 5 close connections that a client is about to use.
KEEPALIVE_SECONDS = 75


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(description="OpenAI- and Anthropic-compatible stub upstream.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default: %(default)s)")
    parser.add_argument("--models", default=DEFAULT_MODELS, help="names that /v1/models lists (default: %(default)s)")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="[%(asctime)s] [STUB] [%(levelname)s] %(message)s", datefmt="%H:%M:%S"
    )
    models = [name.strip() for name in options.models.split(",") if name.strip()]
    logging.getLogger("stub").info("listening on http://%s:%d", options.host, options.port)
    uvicorn.run(
        create_app(models),
        host=options.host,
        port=options.port,
        log_config=None,  # one log format: the one set above
        access_log=False,  # every request is logged by the application, with what a test wants to know
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_keep_alive=KEEPALIVE_SECONDS,
    )


if __name__ == "__main__":
    main()

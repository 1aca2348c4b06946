"""Import what the proxy imports at its start and in its requests.

Python writes the bytecode meanwhile, and a removal that breaks an import stops the build.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import subprocess
import sys

# Imported by a process of their own meanwhile: they need nothing of litellm and are a third of what is compiled.
LIBRARIES = (
    "redis.asyncio",
    "botocore.session",
    "boto3",
    "azure.identity.aio",
    "mcp",
    "numpy",
    "rich",
    "cryptography.x509",
    "prisma",
    "gunicorn.app.base",
    "uvicorn.workers",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.websockets.auto",
    "uvicorn.loops.auto",
    "uvicorn.lifespan.on",
    "fastapi",
    "aiohttp",
)
AT_START = (
    "litellm.proxy.proxy_server",
    "litellm.proxy.proxy_cli",
    "litellm.proxy.health_check",
    "litellm.integrations.prometheus",
    "litellm.integrations.opentelemetry",
    "litellm.integrations.otel.logger",
    "litellm.caching.redis_cache",
    "litellm.router",
)
# Those that the inventories name; proxy_server itself imports nearly all of the others.
PROVIDERS = (
    "anthropic",
    "azure",
    "azure_ai",
    "bedrock",
    "gemini",
    "hosted_vllm",
    "ollama",
    "openai",
    "openrouter",
    "vertex_ai",
)


def modules_of(provider: str) -> list[str]:
    """Every module of a provider."""
    package = importlib.import_module(f"litellm.llms.{provider}")
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda _: None)
    return [module.name for module in found]


def import_libraries() -> None:
    """Import the libraries that need no LiteLLM."""
    for name in LIBRARIES:
        importlib.import_module(name)


def main() -> None:
    """Import the necessary, which must work, then providers, parts of which want packages that litellm never brings."""
    logging.disable(logging.CRITICAL)
    if sys.argv[1:] == ["libraries"]:
        import_libraries()
        return
    libraries = subprocess.Popen([sys.executable, __file__, "libraries"])
    for name in AT_START:
        importlib.import_module(name)
    refused = []
    for provider in PROVIDERS:
        for name in modules_of(provider):
            try:
                importlib.import_module(name)
            except Exception as error:
                refused.append(f"{name}: {error}")
    print(f"not importable: {refused}" if refused else "all providers importable")
    if libraries.wait() != 0:
        sys.exit("a library cannot be imported: its error is above")


if __name__ == "__main__":
    main()

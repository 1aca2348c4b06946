"""The release that serves: complete, and with a configuration that LiteLLM and the plug-in read as it is meant.

LiteLLM starts with each of these faults, and shows none of them until a request needs what is missing.
"""

from __future__ import annotations

import json
import re
import unittest
from collections.abc import Iterator
from typing import Any

from deployed_names import HOOK
from report.model import CheckFailedError, require

from host.context import CURRENT, HINT_DEPLOY, HostContext
from host.registry import check

REFERENCE = "os.environ/"
# Made for each release; the manifest lists the files that come from the project.
RENDERED = ("compose.yaml", "config.yaml", "manifest.json", "secrets.json", "vibe_routes.json")
SECRET_KEYS = re.compile(
    r"(api_key|master_key|salt_key|secret_key|access_key|password|secret|auth_token|access_token|credentials)$",
    re.IGNORECASE,
)
POOL_FIELDS = ("cheap_pool", "strong_pool", "safe_pool")
FALLBACKS = ("fallbacks", "context_window_fallbacks")
READ_YAML = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"
COMPILE = (
    'import pathlib; app = pathlib.Path("/app"); '
    '[compile(file.read_bytes(), str(file), "exec") for file in (*app.glob("vibe_*.py"), *app.glob("vibe/**/*.py"))]'
)
HINT_RENDER = "change the inventory's variables, not the file, and deploy again"


def read_config(host: HostContext) -> dict[str, Any]:
    """Return config.yaml, read with PyYAML where the checks have it, else with that of the router's container."""
    path = f"{CURRENT}/config.yaml"
    try:
        import yaml
    except ImportError:
        slot = host.serving_container
        if not host.router["State"].get("Running"):
            raise unittest.SkipTest(f"this Python has no PyYAML, and {slot}, which has it, does not run") from None
        config = json.loads(host.command(f"docker exec -i {slot} python3 -c '{READ_YAML}' < {path}"))
    else:
        try:
            config = yaml.safe_load(host.command(f"cat {path}"))
        except yaml.YAMLError:
            # Its text may quote a secret.
            raise CheckFailedError("valid YAML in config.yaml", "something else", HINT_RENDER) from None
    if not isinstance(config, dict):
        raise CheckFailedError("a mapping in config.yaml", type(config).__name__, HINT_RENDER)
    return config


def _deployments(config: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the name and the row of each deployment in `model_list`."""
    return [(str(row.get("model_name")), row) for row in config.get("model_list") or [] if isinstance(row, dict)]


def _pools(config: dict[str, Any]) -> set[str]:
    return {name for name, _ in _deployments(config)}


def _families(host: HostContext) -> dict[str, dict[str, Any]]:
    families: dict[str, dict[str, Any]] = host.json_file(f"{CURRENT}/vibe_routes.json").get("families") or {}
    require(bool(families), "families in vibe_routes.json", "none", HINT_RENDER)
    return families


def _leaves(node: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every scalar of a parsed document with the path of its keys."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path, node


def _texts(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    return ((path, value) for path, value in _leaves(config) if isinstance(value, str))


@check("router")
def release_is_complete(host: HostContext) -> None:
    lines = host.command(f"cd {CURRENT} && find . -type f -exec sha256sum {{}} +").splitlines()
    there = {path.strip().removeprefix("./"): digest for digest, _, path in (line.partition(" ") for line in lines)}
    shipped = host.json_file(f"{CURRENT}/manifest.json").get("files") or {}
    faults = [f"no {name}" for name in sorted({*RENDERED, *shipped} - there.keys())]
    faults += [f"{name} was changed" for name in sorted(shipped) if there.get(name, shipped[name]) != shipped[name]]
    require(not faults, f"the manifest's files in {CURRENT}", ", ".join(faults), HINT_DEPLOY)


@check("router")
def manifest_names_what_runs(host: HostContext) -> None:
    manifest = host.json_file(f"{CURRENT}/manifest.json")
    running = {"release": host.router["Config"]["Labels"].get("vibe.release"), "image": host.router["Config"]["Image"]}
    named = {name: manifest.get(name) for name in running}
    require(named == running, f"a manifest that names {running}", str(named), HINT_DEPLOY)


@check("router")
def every_deployment_names_its_model(host: HostContext) -> None:
    rows = _deployments(read_config(host))
    unnamed = [name for name, row in rows if not (row.get("litellm_params") or {}).get("model")]
    found = f"none for {', '.join(unnamed)}" if rows else "an empty model_list"
    require(bool(rows) and not unnamed, "litellm_params.model of each deployment", found, HINT_RENDER)


@check("router")
def hook_is_registered_in_litellm_settings(host: HostContext) -> None:
    config = read_config(host)
    callbacks = (config.get("litellm_settings") or {}).get("callbacks") or []
    # In general_settings LiteLLM silently ignores it.
    misplaced = "; general_settings.callbacks is set" if "callbacks" in (config.get("general_settings") or {}) else ""
    found = f"litellm_settings.callbacks is {callbacks!r}{misplaced}"
    require(HOOK in callbacks and not misplaced, f"{HOOK} in litellm_settings.callbacks alone", found, HINT_RENDER)


@check("router")
def no_deployment_has_a_tier(host: HostContext) -> None:
    # LiteLLM drops a deployment whose tier is neither "free" nor "paid", and still starts.
    having = [name for name, row in _deployments(read_config(host)) if "tier" in (row.get("model_info") or {})]
    hint = "give it another name, such as vibe_tier"
    require(not having, "no model_info.tier", f"one in {', '.join(having)}", hint)


@check("router")
def configuration_has_no_shell_variables(host: HostContext) -> None:
    # LiteLLM does not expand ${NAME}: the provider would get these very characters as its key.
    paths = [path for path, text in _texts(read_config(host)) if "${" in text]
    expected = f"{REFERENCE}NAME for what comes from the environment"
    require(not paths, expected, f"${{…}} at {', '.join(paths)}", HINT_RENDER)


@check("router")
def configuration_refers_to_secrets(host: HostContext) -> None:
    given = [(path, value) for path, value in _leaves(read_config(host)) if SECRET_KEYS.search(path)]
    clear = [path for path, value in given if value is not None and not str(value).startswith(REFERENCE)]
    require(not clear, f"{REFERENCE}NAME for every secret", f"clear text at {', '.join(clear)}", HINT_RENDER)


@check("router")
def every_reference_has_a_value(host: HostContext) -> None:
    # An empty api_base would send the request, with its key, to api.openai.com.
    secrets = host.json_file(f"{CURRENT}/secrets.json")
    named = {text[len(REFERENCE) :]: path for path, text in _texts(read_config(host)) if text.startswith(REFERENCE)}
    empty = ", ".join(f"{name} (at {path})" for name, path in named.items() if not secrets.get(name))
    expected = f"a value in secrets.json for each {REFERENCE}NAME"
    require(not empty, expected, f"none for {empty}", "set it in router_secrets and deploy again")


@check("router")
def every_file_of_the_plugin_compiles(host: HostContext) -> None:
    host.command(f"docker exec {host.serving_container} python3 -B -c '{COMPILE}'")


@check("router")
def plugin_accepts_its_routes(host: HostContext) -> None:
    host.command(
        f"docker exec {host.serving_container} python3 -B /app/vibe_router.py check-routes /app/vibe_routes.json"
    )


@check("router")
def routes_lead_to_configured_pools(host: HostContext) -> None:
    # LiteLLM answers 400 to a pool that it does not have, and tries no fallback.
    pools = _pools(read_config(host))
    named = {f"{family}.{key}": route.get(key) for family, route in _families(host).items() for key in POOL_FIELDS}
    wrong = ", ".join(f"{path} is {pool}" for path, pool in named.items() if pool and pool not in pools)
    require(not wrong, "every pool of vibe_routes.json in config.yaml's model_list", wrong, HINT_RENDER)


@check("router")
def virtual_models_are_aliases_of_pools(host: HostContext) -> None:
    # So they are listed, and served even without the plug-in.
    config = read_config(host)
    aliases = (config.get("router_settings") or {}).get("model_group_alias") or {}
    wrong = []
    for route in _families(host).values():
        alias = aliases.get(route.get("virtual_model"))
        pool = alias.get("model") if isinstance(alias, dict) else alias
        if pool not in _pools(config):
            wrong.append(f"{route.get('virtual_model')} leads to {pool}")
    require(not wrong, "each virtual model in router_settings.model_group_alias", ", ".join(wrong), HINT_RENDER)


@check("router")
def fallbacks_lead_to_configured_pools(host: HostContext) -> None:
    config = read_config(host)
    settings = config.get("router_settings") or {}
    known = _pools(config) | set(settings.get("model_group_alias") or {})
    entries = [(kind, entry) for kind in FALLBACKS for entry in settings.get(kind) or []]
    named = [(kind, name) for kind, entry in entries for pool, others in entry.items() for name in (pool, *others)]
    wrong = ", ".join(f"{name} in {kind}" for kind, name in named if name not in known)
    require(not wrong, "only pools and virtual models in the fallbacks", wrong, HINT_RENDER)

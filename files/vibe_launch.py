#!/usr/bin/env python3
"""Start LiteLLM Proxy with its secrets, or check a release inside the target image.

Secrets come from one file, readable by the container's user alone, and become environment variables of the
proxy process only: `docker inspect` and process lists show none of them.

Two commands:

* ``serve`` refuses to start when a reference of the configuration is unset or empty, then is LiteLLM Proxy under
  gunicorn: LiteLLM is imported once and its workers are forks of that process. They start in little more than half the
  time, and hold little more than half the memory, of workers that import it again, and one that died is replaced
  within a second (docs/benchmarks.md, What serves LiteLLM).
* ``check`` does what ``serve`` does, but instead of serving has LiteLLM load configuration and plug-in (``validate``,
  a process of its own), and counts the deployments that survived: ``--validate_config`` alone says "OK" when it drops
  one.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from vibe.proxy.client_identity import OneKey
from vibe.proxy.cooldowns import keep_to_health
from vibe.proxy.deployment_gate import DeploymentGate, gate_of, install
from vibe.proxy.egress import Egress, guard
from vibe.proxy.litellm_names import UnknownLiteLLMError, read_names
from vibe.proxy.log_escape import escape_logs
from vibe.proxy.provider_hosts import destinations_of
from vibe.proxy.reach import reach_of
from vibe.proxy.request_check import Policy
from vibe.proxy.unprocessable import pass_on_unprocessable
from vibe.routes.routes_file import Routes, RoutesError, default_path, load_routes
from vibe.rules import RULE_NAMES

APP_DIR = Path(__file__).resolve().parent
CONFIG_FILE = APP_DIR / "config.yaml"
SECRETS_FILE = Path("/run/secrets/vibe.json")
REFERENCE_PREFIX = "os.environ/"
MASTER_KEY = "LITELLM_MASTER_KEY"
HOOK = "vibe_router.router_instance"
# Where one of these is missing, a client of the gateway may ask for every model (seen in LiteLLM 1.106.2).
CLIENT_CHECKS = (
    ("general_settings", "custom_auth", "vibe_auth.authenticate"),
    ("general_settings", "custom_auth_run_common_checks", True),
    ("litellm_settings", "enable_post_custom_auth_checks", True),
)
METRICS_DIR, METRICS_PORT = Path("/tmp/vibe-metrics"), 9464
VALIDATION_TIMEOUT_S = 300
# How the plug-in says what is odd about its routes, and no fault: prices of another magnitude.
ROUTER_WARNING = "[VIBE-ROUTER] [WARNING]"
# A worker that gives no sign of life for this long is replaced.
WORKER_TIMEOUT_S = 90
# How long running requests may take to end is the engine's stop_grace_period to say, so never less than that.
GRACEFUL_TIMEOUT_S = 24 * 3600
_MODEL_COUNT = re.compile(r"config OK \((\d+) models?\)")


class ReleaseError(Exception):
    """The release cannot be served; the message says what is wrong and the fix."""


def _log(level: str, message: str) -> None:
    sys.stderr.write(f"[{time.strftime('%H:%M:%S')}] [DEPLOY] [{level}] {message}\n")
    sys.stderr.flush()


def load_secrets(path: Path) -> dict[str, str]:
    """Read the JSON object NAME -> value at *path*.

    Raises:
        ReleaseError: the file is missing, unreadable, or not an object of strings.
    """
    try:
        secrets = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path}: is no readable JSON ({type(error).__name__}); deploy the release again") from None
    if not isinstance(secrets, dict) or not all(isinstance(value, str) for value in secrets.values()):
        raise ReleaseError(f"{path}: must be one object of strings; deploy the release again")
    return secrets


def references(node: Any, where: str = "config.yaml") -> list[tuple[str, str]]:
    """List every ``os.environ/NAME`` in a parsed configuration as (place, NAME), in order."""
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in references(value, f"{where}: {key}")]
    if isinstance(node, list):
        return [found for index, value in enumerate(node) for found in references(value, f"{where}[{index}]")]
    if isinstance(node, str) and node.startswith(REFERENCE_PREFIX):
        return [(where, node[len(REFERENCE_PREFIX) :])]
    return []


def unexpanded(node: Any, where: str = "config.yaml") -> list[str]:
    """List the places of strings with ``${``, which LiteLLM passes on to the provider as they are."""
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in unexpanded(value, f"{where}: {key}")]
    if isinstance(node, list):
        return [found for index, value in enumerate(node) for found in unexpanded(value, f"{where}[{index}]")]
    return [where] if isinstance(node, str) and "${" in node else []


def config_faults(config: dict[str, Any], environment: dict[str, str]) -> list[str]:
    """Return what is wrong with *config* given the *environment* it will run in, one sentence each."""
    faults = [
        # CRITICAL: with an empty api_base LiteLLM sends the request, and its key, to OpenAI's own address.
        f"{place}: the variable {name} is {'empty' if name in environment else 'not set'}; set it in router_secrets"
        for place, name in references(config)
        if not environment.get(name)
    ]
    faults += [f"{place}: ${{NAME}} is not expanded by LiteLLM; write os.environ/NAME" for place in unexpanded(config)]
    callbacks = (config.get("litellm_settings") or {}).get("callbacks") or []
    if HOOK not in callbacks:
        faults.append(f"config.yaml: litellm_settings: callbacks: {HOOK} is missing, so nothing would be routed")
    faults += [
        f"config.yaml: {section}: {name}: must be {value}, or every client may ask for every model; do not set it"
        for section, name, value in CLIENT_CHECKS
        if (config.get(section) or {}).get(name) != value
    ]
    for deployment in config.get("model_list") or []:
        tier = (deployment.get("model_info") or {}).get("tier")
        if tier not in (None, "free", "paid"):
            faults.append(
                f"config.yaml: model {deployment.get('model_name')}: model_info.tier is {tier!r}; LiteLLM drops "
                "a deployment whose tier is neither free nor paid: use a key of another name"
            )
    return faults


def expected_count(config: dict[str, Any]) -> int:
    """Return the number of models that ``--validate_config`` reports when it has dropped none.

    It counts every deployment once under its own name and once more under each alias of that name
    (``run_config_validation`` in LiteLLM's ``proxy_cli.py``, seen in 1.106.2).
    """
    names = [deployment.get("model_name") for deployment in config.get("model_list") or []]
    aliases = ((config.get("router_settings") or {}).get("model_group_alias") or {}).values()
    targets = [alias.get("model") if isinstance(alias, dict) else alias for alias in aliases]
    return len(names) + sum(names.count(target) for target in targets)


def _load_config(path: Path) -> dict[str, Any]:
    import yaml  # part of the LiteLLM image

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ReleaseError(f"{path}: cannot be read as YAML: {error}") from None
    if not isinstance(config, dict):
        raise ReleaseError(f"{path}: must be a mapping")
    return config


def prepare() -> tuple[dict[str, Any], dict[str, str]]:
    """Return the configuration and the environment to run it in.

    Raises:
        ReleaseError: with every fault found, one a line.
    """
    config = _load_config(CONFIG_FILE)
    environment = {**os.environ, **load_secrets(SECRETS_FILE)}
    faults = config_faults(config, environment)
    if faults:
        raise ReleaseError("\n".join(faults))
    return config, environment


def check() -> None:
    """Let LiteLLM load configuration and plug-in, and compare what it kept with what was asked for.

    Raises:
        ReleaseError: LiteLLM refused, or kept fewer deployments than the configuration lists.
    """
    config, environment = prepare()
    result = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "validate"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=VALIDATION_TIMEOUT_S,
        check=False,
    )
    output = result.stdout + result.stderr
    for value in load_secrets(SECRETS_FILE).values():
        output = output.replace(value, "***")
    counted = _MODEL_COUNT.search(output)
    if result.returncode or not counted:
        raise ReleaseError(f"LiteLLM refuses the release (exit code {result.returncode}):\n{output[-4000:]}")
    expected = expected_count(config)
    if int(counted.group(1)) != expected:
        raise ReleaseError(
            f"LiteLLM kept {counted.group(1)} of {expected} models (deployments, and again under each alias):\n"
            f"{output[-4000:]}"
        )
    for line in output.splitlines():
        if ROUTER_WARNING in line:
            sys.stderr.write(f"{line}\n")
    _log("INFO", f"release is valid: {len(config['model_list'])} deployments, {HOOK} loaded")


def validate() -> None:
    """Let LiteLLM load configuration and plug-in in this process, whose environment has the secrets; does not return.

    Raises:
        ReleaseError: what the gates need of the release is not known.
    """
    _gates(_load_config(CONFIG_FILE), dict(os.environ))
    from litellm.proxy.proxy_cli import run_server  # part of the LiteLLM image

    run_server(["--config", str(CONFIG_FILE), "--validate_config"], prog_name="litellm")


def _gates(config: dict[str, Any], environment: dict[str, str]) -> tuple[Policy, DeploymentGate, Egress, Routes]:
    """Return what the gates around LiteLLM let through for this release.

    Raises:
        ReleaseError: the routes cannot be read, LiteLLM has other lists than those that were tried, or the address of
            a deployment's provider is not known.
    """
    import litellm  # part of the LiteLLM image

    def address_of(model: str) -> str | None:
        try:
            return str(litellm.get_llm_provider(model=model)[3] or "")
        except litellm.exceptions.BadRequestError:
            return None

    try:
        routes = load_routes(default_path(APP_DIR), RULE_NAMES)
        names = read_names()
        keep_to_health()
        pass_on_unprocessable()
    except (RoutesError, UnknownLiteLLMError) as error:
        raise ReleaseError(str(error)) from None
    gate = gate_of(config, environment)
    destinations, faults = destinations_of(config, environment, routes.gate, address_of)
    faults += [
        f"router_allowed_parameters: {name} is LiteLLM's own, and would let clients past the gateway. Fix: take it out"
        for name in sorted(routes.gate.allowed_parameters & names.controls)
    ]
    if faults:
        raise ReleaseError("\n".join(faults))
    models = frozenset({*(entry.group for entry in gate.deployments), *gate.aliases})
    policy = Policy(models, names, routes.gate.allowed_parameters, routes.gate.limits, routes.gate.model_aliases)
    for alias, model in routes.gate.model_aliases.items():
        if not policy.has_model(model):
            raise ReleaseError(f"router_model_aliases: {alias} names the unknown model {model}. Fix: name another")
    return policy, gate, Egress(destinations), routes


def _settle_gunicorn(keepalive_timeout: int, egress: Egress) -> None:
    """Give gunicorn the settings that LiteLLM's command line has no options for."""
    import gunicorn.config  # part of the LiteLLM image

    def on_starting(arbiter: Any) -> None:
        arbiter.timeout = WORKER_TIMEOUT_S
        # CRITICAL: longer than the gateway keeps an idle connection; gunicorn's own 2 s would close it under a request.
        arbiter.cfg.set("keepalive", keepalive_timeout)
        # CRITICAL: gunicorn's own is 30 s, which would cut streams that last longer when the slot is stopped.
        arbiter.cfg.set("graceful_timeout", GRACEFUL_TIMEOUT_S)
        # Here, behind LiteLLM's look whether its own port is free, and before the fork.
        guard(egress)
        escape_logs()
        # The gateway has a line for each request already; with no handler none is written.
        logging.getLogger("gunicorn.access").handlers.clear()
        # What is there before the fork stays shared: a collection in a worker would touch, and so copy, all of it.
        gc.collect()
        gc.freeze()

    # The server's hook of this name (gunicorn's documentation, Settings, on_starting); LiteLLM gives no other.
    gunicorn.config.OnStarting.default = staticmethod(on_starting)
    if importlib.util.find_spec("httptools") is not None:
        from uvicorn.workers import UvicornWorker
        from vibe.proxy.http_parser import HeadersOnlyProtocol

        UvicornWorker.CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "http": HeadersOnlyProtocol}


def _serve_metrics() -> None:
    """Have the workers' counters served by a process of its own, where the image has what they are made with."""
    if importlib.util.find_spec("prometheus_client") is None:
        _log("INFO", "nothing is counted: the image has no prometheus_client")
        return
    METRICS_DIR.mkdir(exist_ok=True)
    for left in METRICS_DIR.glob("*.db"):
        # Of the processes before a restart: their numbers may come again.
        left.unlink()
    # CRITICAL: before prometheus_client is imported, which decides then whether its numbers are one process's alone.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_DIR)
    subprocess.Popen([sys.executable, "-m", "vibe.telemetry.metrics_server", "--port", str(METRICS_PORT)])


def serve(workers: int, keepalive_timeout: int) -> None:
    """Be LiteLLM Proxy; does not return.

    Raises:
        ReleaseError: a reference of the configuration is unset or empty.
    """
    config, environment = prepare()
    # CRITICAL: before the secrets are in the environment, which the process that serves the counters would inherit.
    _serve_metrics()
    # CRITICAL: before LiteLLM is imported; much of what it does is decided by variables that it reads then.
    os.environ.update(environment)
    from litellm.proxy.proxy_cli import run_server  # part of the LiteLLM image
    from litellm.proxy.proxy_server import app
    from vibe.proxy.request_gate import RequestGate

    policy, gate, egress, routes = _gates(config, environment)
    _settle_gunicorn(keepalive_timeout, egress)
    install(gate)
    own_key = environment[MASTER_KEY]
    reach = reach_of(gate, routes)
    app.add_middleware(RequestGate, own_key, policy, reach, routes.gate.unchecked_paths)
    # CRITICAL: without it the keys that the gateway shows would reach LiteLLM's loggers with the other headers. The
    # last one added is the first that a request comes to.
    app.add_middleware(OneKey, own_key=own_key)
    arguments = ["--config", str(CONFIG_FILE), "--host", "0.0.0.0", "--port", "4000"]
    run_server([*arguments, "--run_gunicorn", "--num_workers", str(workers)], prog_name="litellm")


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="validate the release and exit")
    commands.add_parser("validate", help="what check runs: needs the secrets in its environment")
    serving = commands.add_parser("serve", help="start LiteLLM Proxy")
    serving.add_argument("--workers", type=int, default=1, metavar="N")
    serving.add_argument("--keepalive-timeout", type=int, default=120, metavar="SECONDS")
    options = parser.parse_args()
    try:
        if options.command == "check":
            check()
        elif options.command == "validate":
            validate()
        else:
            serve(options.workers, options.keepalive_timeout)
    except ReleaseError as error:
        for line in str(error).splitlines():
            _log("ERROR", line)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

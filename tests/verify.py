#!/usr/bin/env python3
"""What is deployed on this host, checked without one call to a model: release, plug-in, containers, gateway.

As a script (needs Python 3.9 and `requests`; Docker's command line and root for all of it):

    sudo python3 tests/verify.py [--release DIR] [--url URL] [--json FILE]

As a pytest module (`pytest tests/verify.py`) it reads VIBE_RELEASE_DIR and OPENAI_BASE_URL, and skips, with the
reason, what cannot be checked here.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import unittest
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).resolve().parent / "deployed"))

from report.model import FAILED, OK, SKIPPED, CheckFailedError, Result

Json = dict[str, Any]

BASE_DIR = os.environ.get("VIBE_DIR") or "/opt/litellm-vibe-router"
CONTAINER_PREFIX = os.environ.get("VIBE_CONTAINER_PREFIX", "")
DEFAULT_RELEASE_DIR = f"{BASE_DIR}/router/current"
DEFAULT_URL = "http://127.0.0.1:4000"
REQUEST_TIMEOUT_SECONDS = 10.0
COMMAND_TIMEOUT_SECONDS = 120
SHORTEST_SECRET = 8

HOOK = "vibe_router.router_instance"
REFERENCE = "os.environ/"
RELEASE_FILES = ("compose.yaml", "config.yaml", "vibe_router.py", "vibe_routes.json", "manifest.json", "secrets.json")
ROUTER_PREFIX = f"{CONTAINER_PREFIX}litellm-vibe-router"
GATEWAY = f"{CONTAINER_PREFIX}vibe-gateway"
CONTAINERS = (ROUTER_PREFIX, f"{CONTAINER_PREFIX}vibe-redis", GATEWAY, f"{CONTAINER_PREFIX}vibe-stub-upstream")
ROOT_USERS = ("", "0", "root")
SECRET_KEYS = re.compile(
    r"(api_key|master_key|salt_key|secret_key|access_key|password|secret|auth_token|access_token|credentials)$",
    re.IGNORECASE,
)
SECRET_VARIABLES = re.compile(r"(_KEY|PASSWORD|SECRET|_TOKEN)$", re.IGNORECASE)
# The official Python image carries the public key that its source was signed with.
PUBLIC_VARIABLES = frozenset({"GPG_KEY"})
READ_YAML = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"

HINT_DEPLOY = "deploy the release again: ./deploy.sh"
HINT_RENDER = "change the inventory's variables, not this file, and deploy again"
HINT_LOG = "docker logs NAME 2>&1 | tail -50, and docker inspect NAME for its health log"
HINT_COMPOSE = "the release's compose.yaml sets it; a container made by hand or by another release does not have it"


def require_none(faults: Sequence[str], expected: str, hint: str) -> None:
    """Raise CheckFailedError that lists `faults`, unless there are none."""
    if faults:
        raise CheckFailedError(expected, "; ".join(faults), hint)


def release_dir() -> Path:
    """Return the directory of the release that serves."""
    return Path(os.environ.get("VIBE_RELEASE_DIR") or DEFAULT_RELEASE_DIR)


def release_file(name: str) -> Path:
    """Return the path of a file of the release; without a release there is nothing to check."""
    if not release_dir().is_dir():
        raise unittest.SkipTest(f"no release at {release_dir()} (--release DIR, VIBE_RELEASE_DIR)")
    return release_dir() / name


def read_text(name: str) -> str:
    """Read a file of the release; one that is missing or cannot be read is a failed check."""
    try:
        return release_file(name).read_text(encoding="utf-8")
    except PermissionError:
        raise unittest.SkipTest(f"{name} may not be read by this user: run it as root (sudo)") from None
    except (OSError, ValueError) as error:
        raise CheckFailedError(f"a readable {name}", repr(error), HINT_DEPLOY) from error


def read_json(name: str) -> Json:
    """Read a JSON object of the release. Its text is never quoted: it may hold secrets."""
    try:
        value = json.loads(read_text(name))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CheckFailedError(f"a JSON object in {name}", "something else", HINT_DEPLOY)
    return value


def read_config() -> Json:
    """Read config.yaml, with PyYAML where this Python has it, else with that of a running router container."""
    text = read_text("config.yaml")
    try:
        import yaml
    except ImportError:
        running = [name for name, container in containers().items() if _is_router(name) and _is_running(container)]
        if not running:
            raise unittest.SkipTest("this Python has no PyYAML, and no router container runs to lend its own") from None
        config = json.loads(run("docker", "exec", "-i", running[0], "python3", "-c", READ_YAML, stdin=text))
    else:
        try:
            config = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise CheckFailedError("valid YAML in config.yaml", str(error), HINT_RENDER) from error
    if not isinstance(config, dict):
        raise CheckFailedError("a mapping in config.yaml", type(config).__name__, HINT_RENDER)
    return config


def run(*command: str, stdin: str | None = None, cwd: Path | None = None) -> str:
    """Run a command and return what it prints; a failing one is a failed check."""
    done = subprocess.run(
        command, input=stdin, cwd=cwd, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_SECONDS, check=False
    )
    if done.returncode:
        found = f"exit code {done.returncode}: {' '.join(done.stderr.split())[-400:]}"
        raise CheckFailedError(f"`{' '.join(command[:3])}` to succeed", found, HINT_DEPLOY)
    return done.stdout


@functools.lru_cache(maxsize=1)
def containers() -> dict[str, Json]:
    """Return what `docker inspect` says of this project's containers, by name."""
    if shutil.which("docker") is None:
        raise unittest.SkipTest("there is no docker command here")
    try:
        filters = [f"--filter=name=^{name}" for name in CONTAINERS]
        names = run("docker", "ps", "--all", *filters, "--format={{.Names}}").split()
    except CheckFailedError as failure:
        raise unittest.SkipTest(f"the Docker engine cannot be asked: {failure.found}") from None
    inspected = json.loads(run("docker", "inspect", *names)) if names else []
    return {container["Name"].lstrip("/"): container for container in inspected}


def running_containers() -> dict[str, Json]:
    """Return the containers that run; the idle slot's one does not, and is not looked at."""
    running = {name: container for name, container in containers().items() if _is_running(container)}
    if not running:
        raise unittest.SkipTest("no container of this project runs here")
    return running


def _is_running(container: Json) -> bool:
    return bool(container["State"].get("Running"))


def _is_router(name: str) -> bool:
    return name.startswith(ROUTER_PREFIX)


def _deployments() -> list[tuple[str, Json]]:
    rows = read_config().get("model_list") or []
    return [(str(row.get("model_name")), row) for row in rows if isinstance(row, dict)]


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


# What the release says.


def test_release_is_complete() -> None:
    """Every file that a release is made of is there."""
    missing = [name for name in RELEASE_FILES if not release_file(name).is_file()]
    missing += [] if release_file("vibe").is_dir() else ["vibe/"]
    require_none([f"no {name}" for name in missing], f"a whole release in {release_dir()}", HINT_DEPLOY)


def test_deployments_are_configured() -> None:
    """There are deployments, each with a name and a provider's model."""
    rows = _deployments()
    faults = [] if rows else ["model_list is empty"]
    faults += [f"{name} without litellm_params.model" for name, row in rows if not _model_of(row)]
    require_none(faults, "deployments in config.yaml", HINT_RENDER)


def _model_of(row: Json) -> str:
    return str((row.get("litellm_params") or {}).get("model") or "")


def test_hook_is_registered_where_litellm_looks() -> None:
    """The plug-in is in litellm_settings.callbacks; in general_settings LiteLLM ignores it silently."""
    config = read_config()
    callbacks = (config.get("litellm_settings") or {}).get("callbacks") or []
    faults = [] if HOOK in callbacks else [f"litellm_settings.callbacks is {callbacks!r}"]
    if "callbacks" in (config.get("general_settings") or {}):
        faults.append("general_settings.callbacks is set")
    require_none(faults, f"{HOOK} in litellm_settings.callbacks alone", HINT_RENDER)


def test_no_deployment_has_a_tier() -> None:
    """LiteLLM drops a deployment whose model_info.tier is neither "free" nor "paid", and still starts."""
    faults = [f"{name} has one" for name, row in _deployments() if "tier" in (row.get("model_info") or {})]
    require_none(faults, "no model_info.tier", "give it another name, such as vibe_tier")


def test_no_shell_variables_in_the_configuration() -> None:
    """LiteLLM does not expand ${NAME}: the provider would get these very characters as its key."""
    faults = [f"${{…}} at {path}" for path, value in _leaves(read_config()) if isinstance(value, str) and "${" in value]
    require_none(faults, "os.environ/NAME for what comes from the environment", HINT_RENDER)


def test_secrets_are_references() -> None:
    """No key or password is in config.yaml in clear text."""
    faults = []
    for path, value in _leaves(read_config()):
        if SECRET_KEYS.search(path) and value is not None and not str(value).startswith(REFERENCE):
            faults.append(f"clear text at {path}")
    require_none(faults, "os.environ/NAME for every secret", HINT_RENDER)


def test_every_reference_has_a_value() -> None:
    """An unset or empty api_base would send the request, with its key, to api.openai.com."""
    secrets = read_json("secrets.json")
    faults = []
    for path, value in _leaves(read_config()):
        if isinstance(value, str) and value.startswith(REFERENCE) and not secrets.get(value[len(REFERENCE) :]):
            faults.append(f"{value[len(REFERENCE) :]} (at {path}) is not set or empty")
    require_none(
        faults, "a value in secrets.json for each os.environ/NAME", "set it in router_secrets and deploy again"
    )


def test_secrets_file_is_private() -> None:
    """Only the router's own user can read the secrets."""
    mode = stat.S_IMODE(release_file("secrets.json").stat().st_mode)
    require_none([] if mode & 0o377 == 0 else [f"mode {mode:04o}"], "mode 0400 on secrets.json", HINT_DEPLOY)


def test_plug_in_compiles() -> None:
    """Every Python file of the release is valid Python."""
    faults = []
    for path in [*sorted(release_dir().glob("vibe_*.py")), *sorted(release_file("vibe").rglob("*.py"))]:
        try:
            compile(path.read_text(encoding="utf-8"), str(path), "exec")
        except (OSError, SyntaxError, ValueError) as error:
            faults.append(f"{path.name}: {error}")
    require_none(faults, "valid Python in vibe_*.py and vibe/", HINT_DEPLOY)


def test_plug_in_accepts_its_routes() -> None:
    """The plug-in imports and finds nothing wrong with its routes."""
    # -B: a release is never written to.
    interpreter = (sys.executable, "-B")
    run(*interpreter, str(release_file("vibe_router.py")), "check-routes", "vibe_routes.json", cwd=release_dir())


def test_routes_lead_to_configured_pools() -> None:
    """The hook may name only pools that exist: LiteLLM answers 400 to any other, and tries no fallback."""
    names = {name for name, _ in _deployments()}
    families: Json = read_json("vibe_routes.json").get("families") or {}
    faults = [] if families else ["no family in vibe_routes.json"]
    for family, route in families.items():
        pools = {key: route.get(key) for key in ("cheap_pool", "strong_pool", "safe_pool") if route.get(key)}
        faults += [f"{family}.{key} is {pool}" for key, pool in pools.items() if pool not in names]
    require_none(faults, "every pool of vibe_routes.json in config.yaml's model_list", HINT_RENDER)


def test_virtual_models_are_declared() -> None:
    """Each virtual model is an alias of a pool: listed, valid, and served even without the plug-in."""
    config = read_config()
    names = {name for name, _ in _deployments()}
    aliases: Json = (config.get("router_settings") or {}).get("model_group_alias") or {}
    families: Json = read_json("vibe_routes.json").get("families") or {}
    faults = []
    for route in families.values():
        alias = aliases.get(route.get("virtual_model"))
        pool = alias.get("model") if isinstance(alias, dict) else alias
        if pool not in names:
            faults.append(f"{route.get('virtual_model')} leads to {pool}")
    require_none(faults, "each virtual model in router_settings.model_group_alias", HINT_RENDER)


def test_fallbacks_lead_to_configured_pools() -> None:
    """A fallback between pools that do not exist is found out only when it is needed."""
    settings: Json = read_config().get("router_settings") or {}
    names = {name for name, _ in _deployments()} | set(settings.get("model_group_alias") or {})
    faults = []
    for kind in ("fallbacks", "context_window_fallbacks"):
        for entry in settings.get(kind) or []:
            for pool, others in entry.items():
                faults += [f"{name} in {kind}" for name in (pool, *others) if name not in names]
    require_none(faults, "only pools and virtual models in the fallbacks", HINT_RENDER)


# What runs.


def test_a_router_serves() -> None:
    """At least one slot runs, and it runs the current release."""
    release = release_file("").resolve().name
    serving = {}
    for name, container in containers().items():
        if _is_router(name) and _is_running(container):
            serving[name] = (container["Config"].get("Labels") or {}).get("vibe.release")
    found = ", ".join(f"{name} runs {label}" for name, label in serving.items()) or f"no running {ROUTER_PREFIX}-…"
    require_none([] if release in serving.values() else [found], f"a slot with release {release}", HINT_DEPLOY)


def test_containers_are_healthy() -> None:
    """Every running container has a health check, and passes it."""
    faults = []
    for name, container in running_containers().items():
        health = (container["State"].get("Health") or {}).get("Status", "without a health check")
        if health != "healthy":
            faults.append(f"{name} is {health}")
    require_none(faults, "healthy containers", HINT_LOG)


def test_containers_have_no_privileges() -> None:
    """Not root, a read-only root file system, no capabilities, and no way to gain any."""
    faults = []
    for name, container in running_containers().items():
        settings = container["HostConfig"]
        user = str(container["Config"].get("User") or "").split(":")[0]
        dropped = [str(capability).upper() for capability in settings.get("CapDrop") or []]
        options = [str(option) for option in settings.get("SecurityOpt") or []]
        wrong = {
            f"user is {user or 'root'}": user in ROOT_USERS,
            "root file system is writable": not settings.get("ReadonlyRootfs"),
            "capabilities are not all dropped": "ALL" not in dropped,
            f"capabilities are added: {settings.get('CapAdd')}": bool(settings.get("CapAdd")),
            "no-new-privileges is not set": not any(
                re.fullmatch(r"no-new-privileges([:=]true)?", option) for option in options
            ),
            "privileged": bool(settings.get("Privileged")),
        }
        faults += [f"{name}: {fault}" for fault, is_so in wrong.items() if is_so]
    require_none(faults, "containers without privileges", HINT_COMPOSE)


def test_start_period_is_set() -> None:
    """A slow start is not taken for a failure: LiteLLM needs many seconds on a busy host."""
    faults = []
    for name, container in running_containers().items():
        period = (container["Config"].get("Healthcheck") or {}).get("StartPeriod") or 0
        if _is_router(name) and period <= 0:
            faults.append(f"{name} has none")
    require_none(faults, "a start_period in the health check of each router", HINT_COMPOSE)


def test_docker_inspect_shows_no_secret() -> None:
    """Who may ask the engine does not thereby know the keys."""
    if not containers():
        raise unittest.SkipTest("there is no container of this project here")
    faults = []
    for name, container in containers().items():
        for variable in container["Config"].get("Env") or []:
            key, _, value = variable.partition("=")
            if value and SECRET_VARIABLES.search(key) and key not in PUBLIC_VARIABLES:
                faults.append(f"{name} has {key} in its environment")
    try:
        secrets = read_json("secrets.json")
    except unittest.SkipTest:
        secrets = {}  # without them only the names above can be checked
    for name, container in containers().items():
        shown = json.dumps(container)
        faults += [f"{name} shows the value of {key}" for key, value in secrets.items() if _is_shown(value, shown)]
    require_none(faults, "no secret in docker inspect", "secrets belong into secrets.json alone")


def _is_shown(secret: object, text: str) -> bool:
    """Say whether a secret's value is in the text; a short one, or an address, is there by chance or by right."""
    return isinstance(secret, str) and len(secret) >= SHORTEST_SECRET and "://" not in secret and secret in text


def test_gateway_is_ready() -> None:
    """The gateway answers, and has a router behind it that is ready."""
    named = os.environ.get("VIBE_GATEWAY_URL") or os.environ.get("OPENAI_BASE_URL")
    if not named and GATEWAY not in containers():
        raise unittest.SkipTest("no gateway on this host, and none named (--url URL)")
    url = re.sub(r"/v1/?$", "", named or DEFAULT_URL).rstrip("/") + "/health/readiness"
    hint = f"docker logs {GATEWAY} 2>&1 | tail -20 says which servers it sees"
    try:
        response = requests.get(url, timeout=REQUEST_TIMEOUT_SECONDS, verify=os.environ.get("VIBE_CA_FILE") or True)
    except requests.RequestException as error:
        raise CheckFailedError(f"an answer from {url}", repr(error), hint) from error
    require_none([] if response.status_code == 200 else [f"HTTP {response.status_code}"], f"HTTP 200 from {url}", hint)


CHECKS: tuple[Callable[[], None], ...] = tuple(
    check for name, check in list(globals().items()) if name.startswith("test_") and callable(check)
)

# What runs; the others look at what the release says.
RUNNING_CHECKS = frozenset(CHECKS[CHECKS.index(test_a_router_serves) :])


def run_check(check: Callable[[], None]) -> Result:
    """Run one check, whose docstring's first line is the sentence; an error of its own is a failure, never a pass."""
    area = "containers" if check in RUNNING_CHECKS else "release"
    result = Result(os.uname().nodename, area, (check.__doc__ or "").partition("\n")[0].rstrip("."))
    start = time.monotonic()
    try:
        check()
    except unittest.SkipTest as reason:
        result.verdict, result.found = SKIPPED, str(reason)
    except CheckFailedError as failure:
        result.verdict = FAILED
        result.expected, result.found, result.hint = failure.expected, failure.found, failure.hint
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, AttributeError) as error:
        result.verdict, result.expected = FAILED, "a file or an answer of the usual shape"
        # The type alone: the text of such an error may quote what it could not read.
        result.found, result.hint = type(error).__name__, HINT_DEPLOY
    result.milliseconds = round((time.monotonic() - start) * 1000)
    return result


def say(level: str, message: str) -> None:
    """Write one progress line; what upstreams and hosts sent is in it, and must not act on the terminal."""
    shown = "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in message)
    print(f"[{time.strftime('%H:%M:%S')}] [VERIFY] [{level}] {shown}", file=sys.stderr, flush=True)


def report(results: Sequence[Result]) -> Json:
    """Return the report for machines."""
    count = {verdict: sum(result.verdict == verdict for result in results) for verdict in (OK, FAILED, SKIPPED)}
    return {
        "suite": "verify",
        "release": str(release_dir()),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "verdict": FAILED if count[FAILED] or not count[OK] else OK,
        "counts": count,
        "results": [asdict(result) for result in results],
    }


def write_faces(summary: Json, options: argparse.Namespace) -> None:
    """Write JUnit XML and the page, if asked for."""
    if options.junit or options.page:
        try:
            from report.single import write_faces as write

            write(summary, options.junit, options.page)
        except (ImportError, OSError) as error:
            say(
                "ERROR",
                f"--junit and --page: {error}. Fix: install Jinja2 and pygal, which --page needs",
            )
            sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks and return the exit code: 0 when none failed, 1 when one did or none could be made."""
    parser = argparse.ArgumentParser(description="Checks what is deployed on this host, without calling a model.")
    parser.add_argument("--release", metavar="DIR", help=f"the release's directory (default: {DEFAULT_RELEASE_DIR})")
    parser.add_argument("--url", help=f"the gateway's address, without /v1 (default: {DEFAULT_URL})")
    parser.add_argument("--json", metavar="FILE", help="also write the report as JSON; - writes it to stdout instead")
    parser.add_argument("--junit", metavar="FILE", help="also write JUnit XML")
    parser.add_argument("--page", metavar="FILE", help="also write an HTML page (needs Jinja2 and pygal as well)")
    options = parser.parse_args(arguments)
    variables = {"VIBE_RELEASE_DIR": options.release, "VIBE_GATEWAY_URL": options.url}
    os.environ.update({name: value for name, value in variables.items() if value})

    results = []
    for check in CHECKS:
        result = run_check(check)
        results.append(result)
        if result.verdict == FAILED:
            say("ERROR", f"{result.check}: expected {result.expected}; found {result.found}. Fix: {result.hint}")
        else:
            say("INFO", f"{result.check}: {result.verdict}{f' ({result.found})' if result.found else ''}")
    summary = report(results)
    if options.json == "-":
        print(json.dumps(summary, indent=2))
    else:
        width = max(len(result.check) for result in results)
        for result in results:
            print(f"{result.check.ljust(width)}  {result.verdict}")
    if options.json and options.json != "-":
        Path(options.json).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    write_faces(summary, options)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in summary["counts"].items())
    passed = summary["verdict"] == OK
    say("INFO" if passed else "ERROR", f"{len(results)} checks of {release_dir()}: {counts}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

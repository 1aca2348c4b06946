"""The doctor finds each planted fault by its symptom: at the right link, with a fix that helps.

Client and host are fakes with recorded answers; tests/e2e/test_doctor.py plants some faults in a real deployment.
"""

from __future__ import annotations

import copy
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import diagnose
import pytest
from diagnose import explained
from doctor.case import Case, Machine
from doctor.client import Answer, Client
from doctor.symptoms import CLIENTS, HEALTH_CHECKS, LOGS, UPSTREAMS
from doctor.walk import WALK, walk
from report.model import FAILED, Result, sentence

SLOT = "litellm-vibe-router-blue"
POOLS = {"chat-auto": ["pool-chat-mini", "pool-chat-standard"]}
CONFIG: dict[str, Any] = {
    "general_settings": {"coordination_redis": {"host": "vibe-redis", "port": 6379}},
    "litellm_settings": {
        "callbacks": ["vibe_router.router_instance"],
        "drop_params": True,
        "request_timeout": 600,
    },
    "model_list": [
        {"model_name": "pool-chat-mini", "litellm_params": {"api_key": "os.environ/KEY"}, "model_info": {"id": "1"}}
    ],
}
COOLDOWN = "No deployments available for selected model. All deployments for selected model are in cooldown."


class MadeUpClient(Client):
    """A client of a sound gateway; a fault changes its answers."""

    def __init__(self, url: str = "http://gateway.example:4000") -> None:
        super().__init__(url, "sk-known-to-the-gateway")
        self.failing: dict[str, OSError] = {}
        self.answers: dict[str, Answer] = {
            "/": Answer(200, {"content-type": "text/plain"}, "litellm-vibe-router\n"),
            "/v1/models": Answer(
                200, {}, json.dumps({"data": [{"id": name} for name in ("chat-auto", *POOLS["chat-auto"])]})
            ),
        }
        # The answers of a pool's provider, in order; the last one repeats.
        # None: it hangs.
        self.pools: dict[str, list[Answer | None]] = {pool: [Answer(200)] for pool in POOLS["chat-auto"]}
        self.decided: list[dict[str, str]] = [{"x-vibe-pool": pool} for pool in POOLS["chat-auto"]]

    def resolve(self) -> None:
        """Fail as planted."""
        self._fail("resolve")

    def connect(self) -> None:
        """Fail as planted."""
        self._fail("connect")

    def shake_hands(self) -> None:
        """Fail as planted."""
        self._fail("shake_hands")

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, seconds: float = 60.0) -> Answer:
        """Answer as planted."""
        self._fail("ask")
        if body is None:
            return self.answers[path]
        if body["model"] in self.pools:
            assert body["disable_fallbacks"] is True
            said = self.pools[body["model"]]
            answer = said.pop(0) if len(said) > 1 else said[0]
            if answer is None:
                raise TimeoutError("read timed out")
            return answer
        return Answer(200, self.decided[len(body["messages"][0]["content"]) > 100])

    def _fail(self, step: str) -> None:
        if step in self.failing:
            raise self.failing[step]


@dataclass
class Said:
    """The result of a command."""

    rc: int
    stdout: str
    stderr: str = ""


def _container(name: str) -> dict[str, Any]:
    return {
        "Id": f"id-of-{name}",
        "Name": f"/{name}",
        "Created": "2026-01-01T00:00:00.000000000Z",
        "RestartCount": 0,
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "OOMKilled": False,
            "Restarting": False,
            "StartedAt": "2026-01-01T00:00:00.000000000Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "healthy", "Log": [{"Output": ""}]},
        },
        "Config": {"Healthcheck": {"StartPeriod": 120 * 10**9, "Test": ["CMD", "python3", "/health/liveliness"]}},
        "HostConfig": {
            "Memory": 1536 << 20,
            "PortBindings": {"4000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4000"}]},
        },
    }


@dataclass(eq=False)
class MadeUpHost:
    """A sound host with every role; a fault changes its commands' output."""

    config: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(CONFIG))
    containers: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {name: _container(name) for name in (SLOT, "vibe-gateway", "vibe-redis")}
    )
    logs: dict[str, str] = field(default_factory=dict)
    said: dict[str, Said] = field(
        default_factory=lambda: {
            "true": Said(0, ""),
            "docker version": Said(0, "28.0.1"),
            "docker info": Said(0, "/var/lib/docker"),
            "df": Said(0, "Filesystem\n/dev/vda 1000 300 700 30% /\n"),
            "docker events": Said(0, ""),
            "readlink": Said(0, "slots/blue.env\n"),
            "docker logs --timestamps": Said(0, "2026-01-01T00:00:07.123456789Z Proxy initialized with Config"),
            "python3 -c": Said(0, "# pxname,svname,status,check_status,last_chk,\nrouters,one-blue,UP,L7OK,,\n"),
            f"docker exec {SLOT} python3 -c 'import os": Said(0, "True\n"),
            f"docker exec {SLOT} python3": Said(0, "b'-NOAUTH'"),
            "cat /opt/litellm-vibe-router/gateway/conf/haproxy.cfg": Said(0, "  timeout server 660s\n"),
            "ping": Said(0, "PONG\n"),
            "info": Said(
                0, "role:master\r\nmaxmemory:100\r\nused_memory:5\r\nmaxmemory_policy:allkeys-lru\r\nevicted_keys:0\r\n"
            ),
        }
    )

    def run(self, command: str) -> Said:
        """Answer a command as a host would."""
        words = command.split()
        if command.startswith("date"):
            return self.said.get("date", Said(0, str(round(time.time()))))
        if command.startswith("docker inspect"):
            known = self.containers.get(words[2])
            return Said(0, json.dumps([known])) if known else Said(1, "", "No such object")
        if command.startswith("docker logs --tail"):
            return Said(0, self.logs.get(words[4], ""))
        if command.startswith(f"docker exec {SLOT} python3 -c 'import json, yaml"):
            return Said(0, json.dumps(self.config))
        for known_command, said in self.said.items():
            if command.startswith(known_command) or ("REDISCLI_AUTH" in command and command.endswith(known_command)):
                return said
        raise AssertionError(f"the made-up host does not know: {command}")


@dataclass
class World:
    """A client and a host."""

    client: MadeUpClient = field(default_factory=MadeUpClient)
    host: MadeUpHost = field(default_factory=MadeUpHost)

    def walked(self) -> list[Result]:
        """Return the walk's results, link by link."""
        roles = ["router", "gateway", "redis"]
        machine = Machine("one", roles, self.host)
        return [result for results in walk(Case(self.client, POOLS, [machine])) for result in results]


Plant = Callable[[World], object]


def _fails(step: str, error: OSError) -> Plant:
    return lambda world: world.client.failing.update({step: error})


def _answers(path: str, answer: Answer) -> Plant:
    return lambda world: world.client.answers.update({path: answer})


def _provider(*answers: Answer | None) -> Plant:
    return lambda world: world.client.pools.update({"pool-chat-standard": list(answers)})


def _refused(status: int, message: str) -> Plant:
    return _provider(Answer(status, {}, json.dumps({"error": {"message": message}})))


def _says(command: str, said: Said) -> Plant:
    return lambda world: world.host.said.update({command: said})


def _state(name: str, log: str = "", **state: Any) -> Plant:
    def plant(world: World) -> None:
        world.host.containers[name]["State"].update(state)
        world.host.logs[name] = log

    return plant


def _health(status: str, output: str = "") -> Plant:
    return _state(SLOT, Health={"Status": status, "Log": [{"Output": output}]})


def _healthcheck(**settings: Any) -> Plant:
    return lambda world: world.host.containers[SLOT]["Config"]["Healthcheck"].update(settings)


def _config(change: Callable[[dict[str, Any]], object]) -> Plant:
    return lambda world: change(world.host.config)


def _server(row: str) -> Plant:
    return _says("python3 -c", Said(0, f"# pxname,svname,status,check_status,last_chk,\nrouters,{row},\n"))


def _expired(world: World) -> None:
    error = ssl.SSLCertVerificationError("it failed")
    error.verify_message = "certificate has expired"
    world.client = MadeUpClient("https://gateway.example")
    world.client.failing["shake_hands"] = error


def _plain(world: World) -> None:
    world.client = MadeUpClient("https://gateway.example:4000")
    world.client.failing["shake_hands"] = ssl.SSLError("WRONG_VERSION_NUMBER")


def _closed_for(plant: Plant) -> Plant:
    def both(world: World) -> None:
        world.client.failing["connect"] = ConnectionRefusedError(111, "Connection refused")
        plant(world)

    return both


def _no_container(name: str) -> Plant:
    return lambda world: world.host.containers.pop(name)


def _looping(world: World) -> None:
    world.host.containers[SLOT]["RestartCount"] = 100000
    world.host.logs[SLOT] = "ModuleNotFoundError: No module named 'vibe.scoring.score'"


def _old_models(world: World) -> None:
    world.client.answers["/v1/models"] = Answer(200, {}, '{"data": [{"id": "chat-auto"}]}')


def _decides(cheap: dict[str, str]) -> Plant:
    return lambda world: world.client.decided.__setitem__(0, cheap)


# Fault -> how it is planted, the hop that must be named, a word of the finding and a word of the fix.
FAULTS: dict[str, tuple[Plant, str, str, str]] = {
    "no DNS record": (
        _fails("resolve", OSError(-2, "Name or service not known")),
        "gateway_name_resolves",
        "not known",
        "DNS record",
    ),
    "gateway's container is gone": (
        _closed_for(_no_container("vibe-gateway")),
        "gateway_port_is_open",
        "connection refused; one: none",
        "./deploy.sh makes it",
    ),
    "gateway was stopped": (
        _closed_for(_state("vibe-gateway", Status="exited")),
        "gateway_port_is_open",
        "exited, exit code 0",
        "docker start vibe-gateway",
    ),
    "gateway's port is another program's": (
        _closed_for(_state("vibe-gateway", Status="created", ExitCode=128, Error="bind: address already in use")),
        "gateway_port_is_open",
        "another program uses its port",
        "ss -ltnp",
    ),
    "gateway listens elsewhere": (
        _closed_for(lambda world: None),
        "gateway_port_is_open",
        "listens at 127.0.0.1:4000",
        "gateway_bind_address",
    ),
    "firewall in front of the gateway": (
        _fails("connect", TimeoutError("timed out")),
        "gateway_port_is_open",
        "no answer in 5 s",
        "firewall",
    ),
    "certificate has expired": (_expired, "gateway_certificate_is_valid", "has expired", "renew it"),
    "https to a plain port": (_plain, "gateway_certificate_is_valid", "WRONG_VERSION", "http://"),
    "another program answers": (
        _answers("/", Answer(502, {"content-type": "text/html"}, "<html>Bad Gateway</html>")),
        "gateway_answers",
        "502, text/html",
        "ss -ltnp",
    ),
    "a slot is asked": (
        _answers("/", Answer(200, {}, '"LiteLLM: RUNNING"')),
        "gateway_answers",
        "RUNNING",
        "clients ask the gateway",
    ),
    "gateway hangs": (
        _fails("ask", TimeoutError("read timed out")),
        "gateway_answers",
        "TimeoutError",
        "docker logs vibe-gateway",
    ),
    "wrong key": (
        _answers("/v1/models", Answer(401, {}, "The gateway does not know this API key")),
        "key_is_known",
        "does not know",
        "./deploy.sh env",
    ),
    "host is away": (
        _says("true", Said(255, "", "ssh: connect to host one port 22: No route to host")),
        "host_answers",
        "No route",
        "a dead host",
    ),
    "engine is down": (
        _says("docker version", Said(1, "", "Cannot connect to the Docker daemon")),
        "engine_answers",
        "Docker daemon",
        "systemctl status docker",
    ),
    "full disk": (
        _says("df", Said(0, "Filesystem\n/dev/vda 1000 990 10 99% /\n")),
        "disk_has_room",
        "/ is 99 % full",
        "a full disk",
    ),
    "wrong clock": (_says("date", Said(0, "1000000")), "clock_is_right", " s", "timedatectl"),
    "never deployed": (_says("readlink", Said(1, "")), "a_slot_serves", "no /opt", "./deploy.sh"),
    "slot was removed": (_no_container(SLOT), "serving_slot_runs", "none", "./deploy.sh makes it"),
    "slot was stopped": (
        _state(SLOT, Status="exited"),
        "serving_slot_runs",
        "exited, exit code 0",
        f"docker start {SLOT}",
    ),
    "slot was killed": (
        _state(SLOT, Status="exited", ExitCode=137),
        "serving_slot_runs",
        "137",
        "want of memory on the host",
    ),
    "slot hangs in a pause": (_state(SLOT, Status="paused"), "serving_slot_runs", "paused", "docker unpause"),
    "slot had too little memory (25219)": (
        _state(SLOT, Status="exited", ExitCode=137, OOMKilled=True),
        "serving_slot_runs",
        "limit of 1536 MiB",
        "router_memory_limit",
    ),
    "plug-in cannot be loaded": (
        _state(SLOT, "ImportError: cannot import name 'Rule' from 'vibe.rules'", Status="exited", ExitCode=1),
        "serving_slot_runs",
        "the plug-in cannot be loaded",
        "./deploy.sh ships it",
    ),
    "container may not write (13369)": (
        _state(SLOT, "OSError: [Errno 30] Read-only file system: '/app/x'", Status="restarting", ExitCode=1),
        "serving_slot_runs",
        "cannot read or write",
        "drift",
    ),
    "no database (38121)": (
        _state(SLOT, "P1001: Can't reach database server at db:5432", Status="exited", ExitCode=1),
        "serving_slot_runs",
        "has a database configured",
        "database_url",
    ),
    "configuration is no YAML": (
        _state(SLOT, "yaml.scanner.ScannerError: mapping values", Status="exited", ExitCode=1),
        "serving_slot_runs",
        "not valid YAML",
        "renders it again",
    ),
    "slot finds the disk full": (
        _state(SLOT, "OSError: [Errno 28] No space left on device", Status="exited", ExitCode=1),
        "serving_slot_runs",
        "the disk is full",
        "runbooks.md",
    ),
    "slot runs out of memory": (
        _state(SLOT, "MemoryError", Status="exited", ExitCode=1),
        "serving_slot_runs",
        "ran out of memory",
        "router_memory_limit",
    ),
    "unknown crash": (
        _state(SLOT, "ValueError: sk-abcdefghijklm was odd", Status="exited", ExitCode=1),
        "serving_slot_runs",
        "sk-… was odd",
        "rollback",
    ),
    "start_period is too short": (
        _healthcheck(StartPeriod=5 * 10**9),
        "serving_slot_starts_within_its_start_period",
        "it took 7 s",
        "router_start_period: 60",
    ),
    "curl left the image (9295)": (
        _health("unhealthy", 'exec: "curl": executable file not found in $PATH'),
        "serving_slot_is_healthy",
        "the image does not have",
        "python3",
    ),
    "slot starts yet": (_health("starting"), "serving_slot_is_healthy", "starting", "120 s"),
    "slot does not answer": (_health("unhealthy", "timed out"), "serving_slot_is_healthy", "timed out", "restart"),
    "health check that is paid for (3957)": (
        _healthcheck(Test=["CMD", "python3", "http://127.0.0.1:4000/health"]),
        "serving_slot_is_healthy",
        "/health",
        "/health/liveliness",
    ),
    "slot crashes again and again": (_looping, "serving_slot_keeps_running", "again and again", "./deploy.sh ships"),
    "slot was drained by hand": (
        _server("one-blue,MAINT,,"),
        "gateway_sends_to_the_serving_slots",
        "MAINT",
        "enables it again",
    ),
    "firewall between gateway and router": (
        _server("one-blue,DOWN,L4TOUT,"),
        "gateway_sends_to_the_serving_slots",
        "L4TOUT",
        "firewall",
    ),
    "gateway is behind the inventory": (
        _server("other-blue,UP,,"),
        "gateway_sends_to_the_serving_slots",
        "unknown",
        "--tags gateway",
    ),
    "plug-in is not mounted": (
        _says(f"docker exec {SLOT} python3 -c 'import os", Said(0, "False\n")),
        "container_has_the_plugin",
        "none",
        "without its mounts",
    ),
    "hook in general_settings": (
        _config(
            lambda config: config["general_settings"].update(callbacks=config["litellm_settings"].pop("callbacks"))
        ),
        "hook_is_registered",
        "in general_settings",
        "./deploy.sh",
    ),
    "invalid tier": (
        _config(lambda config: config["model_list"][0]["model_info"].update(tier="standard")),
        "configuration_has_no_silent_fault",
        "'standard' of pool-chat-mini",
        "model_info",
    ),
    "shell variable as a key": (
        _config(lambda config: config["model_list"][0]["litellm_params"].update(api_key="${KEY}")),
        "configuration_has_no_silent_fault",
        "shell variable",
        "secrets.yml",
    ),
    "parameters are not dropped": (
        _config(lambda config: config["litellm_settings"].update(drop_params=False)),
        "configuration_has_no_silent_fault",
        "false",
        "router_drop_params",
    ),
    "timeout of the router is short": (
        _config(lambda config: config["litellm_settings"].update(request_timeout=3)),
        "timeouts_fit_each_other",
        "3 s",
        "router_request_timeout",
    ),
    "gateway gives up first": (
        _says("cat /opt/litellm-vibe-router/gateway/conf/haproxy.cfg", Said(0, "  timeout server 60s\n")),
        "timeouts_fit_each_other",
        "60 s on one",
        "gateway_server_timeout",
    ),
    "Redis was stopped": (
        _state("vibe-redis", Status="exited"),
        "redis_runs",
        "exited",
        "docker start vibe-redis",
    ),
    "Redis' file was cut off": (
        _state("vibe-redis", "Bad file format reading the append only file", Status="restarting", ExitCode=1),
        "redis_runs",
        "truncated",
        "redis-check-aof",
    ),
    "Redis has another password": (
        _says("ping", Said(0, "WRONGPASS invalid username-password pair")),
        "redis_accepts_writes",
        "WRONGPASS",
        "--tags redis",
    ),
    "Redis cannot write its file": (
        _says("info", Said(0, "aof_last_write_status:err\r\n")),
        "redis_accepts_writes",
        "err",
        "a full disk",
    ),
    "Redis evicts": (
        _says("info", Said(0, "maxmemory:100\r\nused_memory:99\r\nmaxmemory_policy:allkeys-lru\r\nevicted_keys:7\r\n")),
        "redis_accepts_writes",
        "7 keys evicted",
        "redis_maxmemory",
    ),
    "Redis is full": (
        _says("info", Said(0, "maxmemory:100\r\nused_memory:100\r\nmaxmemory_policy:noeviction\r\n")),
        "redis_accepts_writes",
        "noeviction",
        "redis_maxmemory",
    ),
    "firewall before Redis": (
        _says(f"docker exec {SLOT} python3", Said(1, "", "Traceback\nTimeoutError: timed out")),
        "router_reaches_redis",
        "timed out",
        "redis_publish_address",
    ),
    "models are behind the inventory": (_old_models, "virtual_models_are_listed", "no pool-chat-mini", "./deploy.sh"),
    "provider refuses the key": (
        _refused(401, "Incorrect API key"),
        "every_pool_answers",
        "refuses the key",
        "secrets",
    ),
    "provider does not know the model": (
        _refused(404, "The model does not exist"),
        "every_pool_answers",
        "does not know that model",
        "models.yml",
    ),
    "provider's quota is used up": (_refused(429, "You exceeded your quota"), "every_pool_answers", "limit", "rpm"),
    "provider has no address": (
        _refused(500, "Cannot connect to host api.example:443 [Name or service not known]"),
        "every_pool_answers",
        "no address",
        "api_base",
    ),
    "provider is down": (_refused(500, "Connection error."), "every_pool_answers", "nothing answers", "firewall"),
    "provider is slow": (_refused(408, "Request timed out."), "every_pool_answers", "in time", "request_timeout"),
    "provider's key is a shell variable": (
        _refused(500, "Incorrect API key provided: ${OPENAI_API_KEY}"),
        "every_pool_answers",
        "shell variable",
        "os.environ/NAME",
    ),
    "provider's certificate is not trusted": (
        _refused(500, "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: self-signed certificate"),
        "every_pool_answers",
        "not trusted",
        "TLS-inspecting proxy",
    ),
    "provider does not take a parameter": (
        _refused(400, "UnsupportedParamsError: openai does not support parameters: ['thinking']"),
        "every_pool_answers",
        "does not accept a parameter",
        "drop_params",
    ),
    "pool has no deployment": (
        _refused(400, "No deployments available for selected model"),
        "every_pool_answers",
        "no deployment of it",
        "tier",
    ),
    "provider hangs": (_provider(None), "every_pool_answers", "none: TimeoutError", "router_request_timeout"),
    "deployment was put aside, and is still broken": (
        _provider(Answer(429, {"retry-after": "0"}, COOLDOWN), Answer(401, {}, "Incorrect API key provided")),
        "every_pool_answers",
        "refuses the key",
        "secrets.yml",
    ),
    "plug-in does not decide": (_decides({}), "decisions_are_made", "no x-vibe-pool", "./deploy.sh"),
    "threshold is wrong": (
        _decides({"x-vibe-pool": "pool-chat-standard", "x-vibe-reason": "greeting"}),
        "decisions_are_made",
        "pool-chat-standard: greeting",
        "threshold",
    ),
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip waiting for cooldowns, and hide this machine's proxies."""
    monkeypatch.setattr("doctor.links_upstream.time.sleep", lambda seconds: None)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_is_broken_in_a_sound_deployment() -> None:
    found = World().walked()
    assert [result.check for result in found] == [sentence(link.check.__name__) for link in WALK]
    assert not [result for result in found if result.verdict == FAILED]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_at_its_link_and_the_walk_ends_there(fault: str) -> None:
    plant, link, found, fix = FAULTS[fault]
    world = World()
    plant(world)
    walked = world.walked()
    broken = walked[-1]
    assert (broken.check, broken.verdict) == (sentence(link), FAILED)
    assert found in broken.found
    assert fix in broken.hint
    assert broken.expected
    assert not [result for result in walked[:-1] if result.verdict == FAILED]
    assert "sk-abc" not in broken.found


def test_every_link_has_a_fault() -> None:
    assert {link for _, link, _, _ in FAULTS.values()} >= {link.check.__name__ for link in WALK} - {"gateway_runs"}


def test_every_symptom_has_a_fault() -> None:
    shown = ""
    for plant, *_ in FAULTS.values():
        world = World()
        plant(world)
        shown += world.walked()[-1].found
    assert [one.meaning for one in (*LOGS, *HEALTH_CHECKS, *UPSTREAMS) if one.meaning not in shown] == []


def test_a_proxy_in_the_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    world = World()
    world.client.answers["/"] = Answer(403, {}, "<html>denied</html>")
    assert "NO_PROXY=gateway.example" in world.walked()[-1].hint


def test_an_answer_of_no_usual_shape_is_a_finding_and_not_the_doctors_end() -> None:
    world = World()
    world.client.answers["/v1/models"] = Answer(200, {}, "<html>")
    broken = world.walked()[-1]
    assert (broken.check, broken.found) == ("Virtual models are listed", "JSONDecodeError")


def test_a_single_restart_that_is_over_hides_nothing_behind_it() -> None:
    world = World()
    ended = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime(time.time() - 60))
    world.host.containers[SLOT]["RestartCount"] = 1
    world.host.containers[SLOT]["State"]["FinishedAt"] = ended
    assert not [result for result in world.walked() if result.verdict == FAILED]


def test_every_host_of_a_broken_link_is_told() -> None:
    good, bad = MadeUpHost(), MadeUpHost()
    bad.containers[SLOT]["State"]["Status"] = "exited"
    machines = [Machine(name, ["router"], host) for name, host in (("a", good), ("b", bad), ("c", bad))]
    last = list(walk(Case(MadeUpClient(), POOLS, machines)))[-1]
    assert [(result.host, result.verdict) for result in last] == [("a", "ok"), ("b", FAILED), ("c", FAILED)]
    assert "BROKEN  Serving slot runs (c)" in diagnose.told(last)


def test_without_an_address_the_walk_does_not_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "VIBE_ENV_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert diagnose.main([]) == 2
    assert "no gateway address" in capsys.readouterr().err


# Error messages as clients show them, and a word of the fix.
MESSAGES = {
    'Error code: 400 - {"error_code": "thread_unsupported_request"}': "send the history",
    'Claude Code doesn\'t recognize the model "claude-auto", so it assumes 1m tokens.': "MAX_CONTEXT",
    "API Error: 400 prompt is too long: 210000 tokens > 200000 maximum": "MAX_CONTEXT",
    "This model's maximum context length is 128000 (context_length_exceeded)": "model_context_window",
    "404 The model `claude-haiku-4-5` does not exist. GET /v1/models lists those that do.": "router_model_aliases",
    "This path is not served by the gateway.": "without /v1",
    "Set the `ANTHROPIC_API_KEY` environment variable or pass it via AnthropicProvider": "./deploy.sh env",
    "anthropic.APIConnectionError: Illegal header value b'Bearer '": "./deploy.sh env",
    "API Error: 529 Overloaded": "second deployment",
    "TypeError: Failed to fetch": "gateway_cors_origins",
    "The request body has content-encoding br, which is not supported.": "gzip",
}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_a_client_shows_is_explained(message: str) -> None:
    assert MESSAGES[message] in explained(message)


def test_every_message_of_the_list_has_a_test() -> None:
    shown = "".join(map(explained, MESSAGES))
    assert [one.meaning for one in CLIENTS if one.meaning not in shown] == []
    assert "not a known symptom" in explained("something else")

"""The six known issues of the seed project: each fix works, and the issue is back without it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from e2e.machine import chat, run
from e2e.variant import NAME, Change, check, copy_release, serving, wait_until_ready

START = (
    "import json, os; os.environ.update(json.load(open('/run/secrets/vibe.json')));"
    " os.execvp('litellm', ['litellm', '--config', '/app/config.yaml', '--port', '4000'])"
)


@pytest.fixture
def settings(deployed: dict[str, str]) -> dict[str, str]:
    """The client's settings, which work for a variant too: it has the same key."""
    return deployed


def _at(url: str, settings: dict[str, str]) -> dict[str, str]:
    return {**settings, "OPENAI_BASE_URL": f"{url}/v1"}


def _hook_in_general_settings(config: dict[str, Any]) -> None:
    config["general_settings"]["callbacks"] = config["litellm_settings"].pop("callbacks")


def _invalid_tier(config: dict[str, Any]) -> None:
    config["model_list"][0]["model_info"] = {"tier": "standard"}


def _shell_variable(config: dict[str, Any]) -> None:
    config["model_list"][0]["litellm_params"]["api_key"] = "${STUB_API_KEY}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_hook_in_general_settings, "litellm_settings: callbacks"),
        (_invalid_tier, "model_info.tier is 'standard'"),
        (_shell_variable, "write os.environ/NAME"),
    ],
)
def test_a_release_without_the_fix_is_refused_before_it_serves(
    settings: dict[str, str], serving_release: Path, tmp_path: Path, change: Change, said: str
) -> None:
    refused = check(copy_release(serving_release, tmp_path, change))
    assert refused.returncode == 1
    assert said in refused.stderr


def test_the_release_as_it_is_is_accepted(settings: dict[str, str], serving_release: Path, tmp_path: Path) -> None:
    accepted = check(copy_release(serving_release, tmp_path, lambda config: None))
    assert accepted.returncode == 0, accepted.stderr


def test_the_hook_is_executed(settings: dict[str, str]) -> None:
    answer = chat(settings, "hi")
    assert answer.headers["x-vibe-pool"] == "pool-chat-mini"
    assert "stub-chat-mini" in answer.text


def test_without_the_hook_a_request_goes_to_the_safe_pool_and_says_nothing(
    settings: dict[str, str], serving_release: Path, tmp_path: Path
) -> None:
    with serving(copy_release(serving_release, tmp_path, _hook_in_general_settings), "-c", START) as url:
        wait_until_ready(url)
        answer = chat(_at(url, settings), "hi")
    assert answer.status_code == 200
    assert "x-vibe-pool" not in answer.headers
    assert "stub-chat-standard" in answer.text


def test_an_invalid_tier_drops_the_deployment(settings: dict[str, str], serving_release: Path, tmp_path: Path) -> None:
    def without_fallbacks(config: dict[str, Any]) -> None:
        _invalid_tier(config)
        config["router_settings"]["fallbacks"] = []

    with serving(copy_release(serving_release, tmp_path, without_fallbacks), "-c", START) as url:
        wait_until_ready(url)
        answer = chat(_at(url, settings), "hi", model="pool-chat-mini")
    assert answer.status_code >= 400
    assert chat(settings, "hi", model="pool-chat-mini").status_code == 200


def test_a_container_is_unhealthy_when_its_start_period_is_shorter_than_its_start(
    settings: dict[str, str], serving_release: Path, tmp_path: Path
) -> None:
    compose = json.loads(run("docker", "inspect", "--format", "{{json .Config.Healthcheck}}", _serving_name()).stdout)
    probe = compose["Test"][-1]
    short = (f"--health-cmd=python3 -c '{probe}'", "--health-interval=1s", "--health-retries=2", "--health-timeout=2s")
    release = copy_release(serving_release, tmp_path, lambda config: None)
    assert _health_while_starting(release, short) == "unhealthy"
    assert _health_while_starting(release, (*short, "--health-start-period=120s")) == "healthy"


def _serving_name() -> str:
    return run("docker", "ps", "--filter", "name=litellm-vibe-router", "--format", "{{.Names}}").stdout.split()[0]


def _health_while_starting(release: Path, health: tuple[str, ...]) -> str:
    """Return the first health status other than `starting`."""
    with serving(release, health=health):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            status = run("docker", "inspect", "--format", "{{.State.Health.Status}}", NAME).stdout.strip()
            if status != "starting":
                return status
            time.sleep(0.2)
    raise AssertionError("the container was still starting after 120 s")


def test_parameters_that_a_model_does_not_take_are_dropped(
    settings: dict[str, str], serving_release: Path, tmp_path: Path
) -> None:
    def keep_parameters(config: dict[str, Any]) -> None:
        config["litellm_settings"]["drop_params"] = False

    odd: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    assert chat(settings, "hi", **odd).status_code == 200
    with serving(copy_release(serving_release, tmp_path, keep_parameters)) as url:
        wait_until_ready(url)
        assert chat(_at(url, settings), "hi", **odd).status_code == 400


def test_odd_fields_of_an_upstream_are_tolerated(settings: dict[str, str]) -> None:
    for path, body in (
        ("chat/completions", {"messages": [{"role": "user", "content": "hi [[stub:odd]]"}]}),
        ("responses", {"input": "hi [[stub:odd]]"}),
    ):
        answer = requests.post(
            f"{settings['OPENAI_BASE_URL']}/{path}",
            headers={"Authorization": f"Bearer {settings['OPENAI_API_KEY']}"},
            json={"model": "chat-auto", **body},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text


def test_a_slow_answer_to_a_complex_question_arrives(
    settings: dict[str, str], serving_release: Path, tmp_path: Path
) -> None:
    def short_timeout(config: dict[str, Any]) -> None:
        config["litellm_settings"]["request_timeout"] = 3

    slow = "Design a distributed ledger and prove that it is atomic. [[stub:delay=8]]"
    assert chat(settings, slow).status_code == 200
    with serving(copy_release(serving_release, tmp_path, short_timeout)) as url:
        wait_until_ready(url)
        assert chat(_at(url, settings), slow).status_code == 408

"""No field that LiteLLM knows gets a client past the gateway: all are tried, on every API, in every shape."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from e2e import variant
from e2e.machine import PROJECT, chat, containers, router_processes, run
from e2e.parameter_matrix import APIS, HOSTILE, MARK, SHAPES, Matrix, probes

NAMES = PROJECT / "tests/e2e/litellm_parameters.py"
# LiteLLM 1.106.2 has a thousand; with a few hundred less, the search is broken.
FEWEST = 800


def _router() -> str:
    (name,) = [name for name in containers() if name.startswith("litellm-vibe-router-")]
    return name


@pytest.fixture(scope="module")
def names(deployed: dict[str, str]) -> list[str]:
    """Every field that the serving LiteLLM reads from a request."""
    done = run("docker", "exec", "-i", _router(), "python3", "-", given=NAMES.read_text(encoding="utf-8"))
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    assert len(found) > FEWEST
    assert {"fallbacks", "passthrough_on_no_deployment", "provider_specific_header", "no-log", "api_base"} <= set(found)
    return found


def _headers(deployed: dict[str, str], client: str) -> dict[str, str]:
    """Return the gateway's headers for a *client*: with a list of models, without one, or the operator."""
    said = {
        "bounded": {"x-vibe-client": "bounded", "x-vibe-client-models": "chat-auto"},
        "free": {"x-vibe-client": "free"},
    }
    return {"Authorization": f"Bearer {deployed['OPENAI_API_KEY']}", **said.get(client, {})}


def _check(
    headers: dict[str, str], wanted: list[str], shapes: tuple[object, ...], in_metadata: tuple[str, ...]
) -> None:
    url = run("docker", "port", _router(), "4000").stdout.strip()
    outcome = Matrix(f"http://{url}", headers).run(list(probes(wanted, shapes, in_metadata)))
    assert outcome.faults == []
    # Both kinds occur: refused fields, and fields that pass and change nothing.
    assert outcome.statuses[200] > 0
    assert outcome.statuses[400] > 0


def test_no_name_gets_a_bounded_client_past_its_list(names: list[str], deployed: dict[str, str]) -> None:
    before = router_processes(_router())
    _check(_headers(deployed, "bounded"), names, (HOSTILE,), ("chat/completions", "messages"))
    assert router_processes(_router()) == before, "a worker died"
    logged = run("docker", "logs", _router())
    assert MARK not in logged.stdout + logged.stderr, "prompts are in the log"
    # Everyone else is served as before.
    answer = chat(deployed, "hi", disable_fallbacks=True)
    assert (answer.status_code, answer.headers["x-vibe-served-pool"]) == (200, "pool-chat-mini")


@pytest.mark.parametrize("client", ["free", "operator"])
def test_nor_any_other_client_anywhere_else(client: str, names: list[str], deployed: dict[str, str]) -> None:
    _check(_headers(deployed, client), names[::10], (HOSTILE,), ("responses",))


@pytest.mark.slow
def test_in_every_shape_and_place(names: list[str], deployed: dict[str, str]) -> None:
    _check(_headers(deployed, "bounded"), names, SHAPES, APIS)


def test_a_name_that_is_taken_off_the_list_is_found(
    deployed: dict[str, str], serving_release: Path, tmp_path: Path
) -> None:
    release = variant.copy_release(serving_release, tmp_path, lambda config: None)
    fields = release / "vibe/proxy/api_fields.py"
    text = fields.read_text(encoding="utf-8")
    planted = text.replace(
        '    "session_id": shapes.name,\n', '    "session_id": shapes.name,\n    "headers": shapes.mapping,\n'
    )
    assert planted != text
    fields.write_text(planted, encoding="utf-8")
    with variant.serving(release) as url:
        variant.wait_until_ready(url)
        outcome = Matrix(url, _headers(deployed, "bounded")).run(list(probes(["headers"])))
    assert any('"headers"' in fault for fault in outcome.faults), outcome

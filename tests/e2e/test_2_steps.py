"""Each step runs alone on a deployed machine: by tag, by playbook, for real and as a dry run; so does a role's tag."""

import pytest
from e2e.machine import PLAYBOOK, changed, run

STEPS = ("preflight", "prepare", "stage", "rollout", "verify")
# Those that need what another step finds out.
ROLE_TAGS = ("images", "router", "gateway")
DRY_RUN = ("--check", "--diff")
# Both ways run the same play of the step: in every run one of them for real, and the other dry.
WAYS = [
    pytest.param("playbook", (), id="playbook-real"),
    pytest.param("tag", DRY_RUN, id="tag-dry"),
    pytest.param("playbook", DRY_RUN, id="playbook-dry", marks=pytest.mark.slow),
    pytest.param("tag", (), id="tag-real", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("way", "mode"), WAYS)
@pytest.mark.usefixtures("deployed")
def test_a_step_runs_alone_and_finds_nothing_to_do(step: str, way: str, mode: tuple[str, ...]) -> None:
    command = ["site.yml", "--tags", step] if way == "tag" else [f"playbooks/{step}.yml"]
    done = run(PLAYBOOK, *command, *mode)
    assert changed(done.stdout) == 0, done.stdout
    # What belongs to other steps alone is not looked at: a tag that selects nothing of its step would pass as well.
    assert f"/5 {step}" in done.stdout
    assert "ok: [local]" in done.stdout


@pytest.mark.parametrize("tag", ROLE_TAGS)
@pytest.mark.usefixtures("deployed")
def test_a_roles_tag_runs_alone(tag: str) -> None:
    done = run(PLAYBOOK, "site.yml", "--tags", tag, *DRY_RUN)
    assert changed(done.stdout) == 0, done.stdout
    assert f"[{tag} : " in done.stdout

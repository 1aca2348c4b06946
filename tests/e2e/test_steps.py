"""Each step runs alone on a deployed machine: by tag, by playbook, for real and as a dry run; so does a role's tag."""

import pytest
from e2e.machine import PLAYBOOK, changed, run

STEPS = ("preflight", "prepare", "stage", "rollout", "verify")
# Steps that need facts from another step.
ROLE_TAGS = ("images", "router", "gateway")
DRY_RUN = ("--check", "--diff")
# Tag and playbook run the same play: dry by its tag in every run, and for real if no other test runs it alone.
IN_EVERY_RUN = {("tag", step, DRY_RUN) for step in STEPS} | {("playbook", step, ()) for step in ("prepare", "stage")}
CASES = [
    pytest.param(way, step, mode, id=f"{way}-{step}-{'dry' if mode else 'real'}", marks=marks)
    for way in ("tag", "playbook")
    for step in STEPS
    for mode in (DRY_RUN, ())
    for marks in [() if (way, step, mode) in IN_EVERY_RUN else (pytest.mark.slow,)]
]


@pytest.mark.parametrize(("way", "step", "mode"), CASES)
@pytest.mark.usefixtures("deployed")
def test_a_step_runs_alone_and_finds_nothing_to_do(way: str, step: str, mode: tuple[str, ...]) -> None:
    command = ["site.yml", "--tags", step] if way == "tag" else [f"playbooks/{step}.yml"]
    done = run(PLAYBOOK, *command, *mode)
    assert changed(done.stdout) == 0, done.stdout
    # Without tasks of other steps: a tag that selects nothing of its own step would pass too.
    assert f"/5 {step}" in done.stdout
    assert "ok: [local]" in done.stdout


@pytest.mark.parametrize("tag", ROLE_TAGS)
@pytest.mark.usefixtures("deployed")
def test_a_roles_tag_runs_alone(tag: str) -> None:
    done = run(PLAYBOOK, "site.yml", "--tags", tag, *DRY_RUN)
    assert changed(done.stdout) == 0, done.stdout
    assert f"[{tag} : " in done.stdout

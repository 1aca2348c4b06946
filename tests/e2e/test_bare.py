"""A dry run on a bare machine shows what it would do, and changes nothing."""

import shutil
from pathlib import Path

import pytest
from e2e.machine import engine_answers, run

SECRETS = Path(__file__).resolve().parents[2] / "inventory/local/.secrets"


def test_a_dry_run_on_a_bare_machine_ends_well_and_changes_nothing(machine_was_bare: bool) -> None:
    if not machine_was_bare:
        pytest.skip("this machine has an engine or a deployment already")
    client = shutil.which("dockerd")
    keys = sorted(SECRETS.glob("*"))
    done = run("./deploy.sh", "--check", "--diff", timeout=900)
    assert "failed=0" in done.stdout
    assert not engine_answers()
    assert shutil.which("dockerd") == client
    assert not Path("/opt/litellm-vibe-router").exists()
    assert sorted(SECRETS.glob("*")) == keys

"""All packages of a control node are locked by hash, and match the requirements."""

import re
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = {
    "requirements.lock": ("requirements.txt",),
    "playbooks/lib/sbom.lock": ("playbooks/lib/sbom.txt",),
    "tests/requirements.lock": ("requirements.txt", "playbooks/lib/sbom.txt", "tests/requirements.txt"),
    "files/images/litellm/requirements.lock": ("files/images/litellm/requirements.in",),
}
# Only for the image; all others are installed on a control node.
OF_THE_IMAGE = "files/images/litellm/requirements.lock"


def _pins(name: str) -> set[str]:
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;]+)", line) for line in lines)
    return {f"{pin[1].lower().replace('_', '-')}=={pin[2]}" for pin in found if pin}


def _names(name: str) -> set[str]:
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    found = (re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line) for line in lines)
    return {match[0].lower().replace("_", "-") for match in found if match}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_what_the_requirements_ask_for(lock: str) -> None:
    asked = set().union(*(_pins(name) for name in LOCKS[lock]))
    assert asked
    assert asked - _pins(lock) == set(), "run: tests/lock.sh"
    named = set().union(*(_names(name) for name in LOCKS[lock]))
    assert named - _names(lock) == set(), "run: tests/lock.sh"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_lock_is_written_by_one_command(lock: str) -> None:
    assert f" {lock} " in (PROJECT / "tests/lock.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", LOCKS)
def test_each_locked_package_has_hashes_and_no_address_of_an_index(lock: str) -> None:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z])", text)
    assert len(entries) == len(_pins(lock))
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_the_tests_run_with_the_very_packages_of_a_control_node() -> None:
    for lock in LOCKS.keys() - {OF_THE_IMAGE}:
        assert _pins(lock) - _pins("tests/requirements.lock") == set()


def test_litellms_version_is_the_same_wherever_it_is_written() -> None:
    [pin] = [pin for pin in _pins("files/images/litellm/requirements.in") if pin.startswith("litellm==")]
    version = pin.partition("==")[2]
    assert pin in _pins(OF_THE_IMAGE)
    defaults = yaml.safe_load((PROJECT / "roles/images/defaults/main.yml").read_text(encoding="utf-8"))
    assert defaults["images_litellm_version"] == version
    assert defaults["images_litellm_pull_reference"].endswith(f":v{version}")
    assert f"LiteLLM {version} with" in (PROJECT / "docs/images.md").read_text(encoding="utf-8")

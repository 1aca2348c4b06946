"""A release is written as rendered, its changed files are named, and an incomplete one is not a release."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from role_plugins import load

module = load("router/library/release_files")
FILES = {"config.yaml": "model: ä\n", "vibe/rules/one.py": "ONE = 1\n", "secrets.json": '{"KEY": "planted-secret"}'}
OWN = os.getuid()


class Host:
    """A release's folder, and the module over it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self.folder, self.output = folder, output
        self.root, self.serving = folder / "releases/5f1d", folder / "current"
        # Only root can set another owner.
        monkeypatch.setattr(module.Release.__init__, "__defaults__", (OWN,))

    def run(self, *, check: bool = False, **files: str) -> dict[str, Any]:
        """Run the module with the files; return its result."""
        bundle = base64.b64encode(json.dumps({**FILES, **files}).encode()).decode()
        given = {"path": str(self.root), "bundle": bundle, "secrets": ["secrets.json"], "uid": OWN}
        given |= {"compared_with": str(self.serving), "shown": ["config.yaml"], "folders": [str(self.folder / "slots")]}
        with patch_module_args({**given, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            module.main()
        said = self.output.readouterr().out
        assert "planted-secret" not in said
        assert bundle not in said
        answer: dict[str, Any] = json.loads(said)
        return answer

    def completed(self) -> None:
        """Write the release and its manifest."""
        self.run()
        (self.root / "manifest.json").write_text("{}", encoding="utf-8")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Host:
    return Host(tmp_path, monkeypatch, capsys)


def test_a_release_is_written_with_its_modes_whatever_the_umask(host: Host) -> None:
    before = os.umask(0o077)
    try:
        assert host.run()["changed"]
    finally:
        os.umask(before)
    modes = {
        path.relative_to(host.folder).as_posix(): oct(stat.S_IMODE(path.stat().st_mode))
        for path in host.folder.rglob("*")
    }
    assert modes == {
        "releases": "0o755",
        "slots": "0o755",
        "releases/5f1d": "0o755",
        "releases/5f1d/vibe": "0o755",
        "releases/5f1d/vibe/rules": "0o755",
        "releases/5f1d/config.yaml": "0o644",
        "releases/5f1d/vibe/rules/one.py": "0o644",
        "releases/5f1d/secrets.json": "0o400",
    }
    assert {name: (host.root / name).read_text(encoding="utf-8") for name in FILES} == FILES


def test_a_complete_release_is_left_alone(host: Host) -> None:
    host.completed()
    written = (host.root / "config.yaml").stat().st_mtime_ns
    said = host.run()
    assert not said["changed"]
    assert not said["spoilt"]
    assert (host.root / "config.yaml").stat().st_mtime_ns == written


def test_one_without_its_manifest_is_to_be_validated_anew(host: Host) -> None:
    host.run()
    assert host.run()["changed"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: (root / "config.yaml").write_text("edited", encoding="utf-8"), "config.yaml: was changed"),
        (lambda root: (root / "vibe/rules/one.py").unlink(), "vibe/rules/one.py: is missing"),
        (
            lambda root: (root / "secrets.json").chmod(0o644),
            f"secrets.json: has mode 0644 and owner {OWN}, not 0400 and {OWN}",
        ),
        (lambda root: (root / "vibe").chmod(0o700), "vibe: has mode 0700, not 0755"),
        (
            lambda root: ((root / "config.yaml").unlink(), (root / "config.yaml").symlink_to("/etc/hostname")),
            "config.yaml: was changed",
        ),
    ],
    ids=["edited", "missing", "mode", "folder", "link"],
)
def test_what_was_spoilt_is_told_and_mended_and_has_to_be_validated_anew(host: Host, spoil: Any, said: str) -> None:
    host.completed()
    spoil(host.root)
    looked = host.run(check=True)
    assert looked["changed"]
    assert looked["spoilt"] == [said]
    assert (host.root / "manifest.json").exists(), "a dry run changes nothing"
    assert host.run()["spoilt"] == [said]
    assert not (host.root / "manifest.json").exists()
    assert (host.root / "config.yaml").read_text(encoding="utf-8") == FILES["config.yaml"]
    assert not (host.root / "config.yaml").is_symlink()


def test_the_difference_to_what_serves_is_told_of_the_shown_files_alone(host: Host) -> None:
    host.serving.mkdir()
    (host.serving / "config.yaml").write_text("model: old\n", encoding="utf-8")
    (told,) = host.run(check=True)["diff"]
    assert (told["before"], told["after"]) == ("model: old\n", FILES["config.yaml"])
    assert not host.root.exists(), "a dry run changes nothing"


def test_a_host_that_cannot_be_written_to_keeps_no_half_of_a_release(host: Host) -> None:
    host.completed()
    (host.root / "config.yaml").unlink()
    (host.root / "config.yaml").mkdir()
    said = host.run()
    assert said["failed"]
    assert "The release was not written to" in said["msg"]
    assert not (host.root / "manifest.json").exists()

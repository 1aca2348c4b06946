"""Coding clients, started as programs: installed by npm, each with its own home folder and settings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from e2e.machine import Run, run

INSTALL_SECONDS = 600
ANSWER_SECONDS = 120
PINS = Path(__file__).with_name("package.json")


@dataclass(frozen=True)
class Client:
    """A client's program with its arguments and environment; the prompt is the last argument."""

    name: str
    command: tuple[str, ...]
    home: Path
    key_name: str
    environment: dict[str, str] = field(default_factory=dict)

    def ask(self, prompt: str, key: str = "") -> Run:
        """Send one prompt, with another key if one is given."""
        work = self.home / "work"
        work.mkdir(exist_ok=True)
        return subprocess.run(
            [*self.command, prompt],
            cwd=work,
            # Nothing from this machine: no configuration, no key, no proxy.
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)}
            | self.environment
            | ({self.key_name: key} if key else {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )


def installed(folder: Path) -> Path:
    """Return the folder of the programs, installed there by npm at their pinned versions."""
    folder.mkdir(parents=True, exist_ok=True)
    pins = folder / PINS.name
    if not pins.exists() or pins.read_text(encoding="utf-8") != PINS.read_text(encoding="utf-8"):
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        npm = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--prefix")
        stage = folder / "new"
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        shutil.copy(PINS, stage)
        done = run(*npm, str(stage), check=False, timeout=INSTALL_SECONDS)
        if done.returncode != 0:
            pytest.skip(f"npm cannot install Claude Code and Codex CLI here: {done.stderr.strip()[-300:]}")
        shutil.move(stage / "node_modules", folder / "node_modules")
        shutil.copy(PINS, pins)
    return folder / "node_modules"


def printed(client: str) -> str:
    """Return what `./deploy.sh env --client` prints."""
    return run("./deploy.sh", "env", "--client", client).stdout


def exports(text: str) -> dict[str, str]:
    """Return the variables that a text of shell exports sets."""
    return dict(re.findall(r"^export (\w+)=(\S+)$", text, flags=re.MULTILINE))


def codex(programs: Path, home: Path) -> Client:
    """Codex CLI, whose settings are in its home."""
    folder = home / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(printed("codex"), encoding="utf-8")
    command = (str(programs / ".bin/codex"), "exec", "--skip-git-repo-check")
    return Client("codex", command, home, "OPENAI_API_KEY", exports(printed("sdk")))


def claude_code(programs: Path, home: Path) -> Client:
    """Claude Code, whose settings are in its environment; telemetry and updates off."""
    quiet = dict.fromkeys(("DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER", "DISABLE_ERROR_REPORTING"), "1")
    quiet["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1"
    # Not its bin: that is a placeholder until the package's install script runs, and we do not run it.
    wrapper = programs / "@anthropic-ai/claude-code/cli-wrapper.cjs"
    # Agents answer in the background in a separate turn, which is not part of a loop.
    command = ("node", str(wrapper), "--disallowedTools", "Agent", "--output-format", "json", "--print")
    return Client("claude-code", command, home, "ANTHROPIC_AUTH_TOKEN", {**exports(printed("claude-code")), **quiet})

"""Every command of README.md and docs/ works as pasted: in order, page by page, on the deployed machine.

The blocks of a page share variables, as in a shell. They run in a copy of the project with a separate HOME. A second
stub container plays the first real provider.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.machine import PROJECT, run
from e2e.markdown import Block, command_blocks

# The page about the first provider comes last: it deploys another environment over the local one, whose keys the
# other pages use.
FIRST_PROVIDER = PROJECT / "docs/first-provider.md"
GUIDES = sorted((PROJECT / "docs").glob("*.md"), key=lambda page: (page == FIRST_PROVIDER, page))
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *GUIDES]
BLOCKS = [block for page in PAGES for block in command_blocks(page, PROJECT)]
PROVIDER = "vibe-test-provider"
# A reader does not have this machine's settings for its package indexes and mirrors.
LENT = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "PIP_INDEX_URL", "PIP_CONFIG_FILE")
LEFT_OUT = (".git", ".venv", ".venv-test", ".cache", "reports", "__pycache__", ".mypy_cache", ".ruff_cache")
SECONDS = 1200


class Reader:
    """A reader who pastes the blocks of a page into a shell."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.page = ""
        self.variables: dict[str, str] = {}

    def paste(self, block: Block) -> None:
        """Run *block* with the variables that earlier blocks of its page set.

        Raises:
            AssertionError: a command of it failed.
        """
        if block.page != self.page:
            self.page = block.page
            self.variables = _lent() | {"HOME": str(self.home)}
        kept = self.home / "variables"
        script = f"set -euo pipefail\n{block.text}\nenv --null > {kept}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{block.text}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
        pairs = kept.read_text(encoding="utf-8").rstrip("\0").split("\0")
        self.variables = dict(pair.split("=", 1) for pair in pairs)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what a clone does not have; the lab comes and goes in the meantime."""
    lab = {"lab"} if Path(folder) == PROJECT / "inventory" else set()
    return lab | set(shutil.ignore_patterns(*LEFT_OUT)(folder, names))


def _lent() -> dict[str, str]:
    variables = {name: os.environ[name] for name in LENT if name in os.environ}
    index = run(str(PROJECT / ".venv/bin/python"), "-m", "pip", "config", "get", "global.index-url", check=False)
    if index.returncode == 0:
        # uv does not read pip's configuration.
        variables["UV_DEFAULT_INDEX"] = index.stdout.strip()
    return variables


@pytest.fixture(scope="module")
def reader(deployed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader in a clone with the tools installed; afterwards this machine's deployment is restored."""
    folder = tmp_path_factory.mktemp("clone") / "litellm-vibe-router"
    shutil.copytree(PROJECT, folder, ignore=_left_out, symlinks=True)
    for name in (".venv", ".venv-test"):
        (folder / name).symlink_to(PROJECT / name)
    yield Reader(folder, tmp_path_factory.mktemp("home"))
    # No later test needs it, but a kept deployment must be this machine's own.
    if os.environ.get("VIBE_KEEP_DEPLOYMENT"):
        run("./deploy.sh")


@pytest.fixture(scope="module")
def provider(reader: Reader) -> Iterator[str]:
    """The stub as a provider, reachable only on the router's network; returns its address."""
    files = Path("/opt/litellm-vibe-router/stub-upstream")
    program = next(iter(sorted(files.glob("program-*"), key=lambda path: path.stat().st_mtime, reverse=True)))
    image = run("docker", "inspect", "--format", "{{.Config.Image}}", "vibe-stub-upstream").stdout.strip()
    mounts = [f"--volume={program}/{name}:/app/{name}:ro" for name in ("stub_upstream.py", "stub")]
    command = ["--entrypoint=python3", image, "/app/stub_upstream.py", "--host", "0.0.0.0", "--port", "9000"]
    run("docker", "run", "--detach", f"--name={PROVIDER}", "--network=vibe", "--env=PYTHONPATH=/app", *mounts, *command)
    yield f"http://{PROVIDER}:9000/v1"
    run("docker", "rm", "--force", PROVIDER)


def test_the_pages_have_commands() -> None:
    assert len(BLOCKS) > 10
    assert {block.page for block in BLOCKS} >= {"README.md", "docs/first-provider.md", "docs/images.md"}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_of_commands_works_when_pasted(block: Block, reader: Reader, request: pytest.FixtureRequest) -> None:
    if block.reason:
        pytest.skip(f"{block}: {block.reason}")
    models = reader.folder / "inventory/production/group_vars/all/models.yml"
    if block.page == "docs/first-provider.md" and "./deploy.sh -i" in block.text:
        address = request.getfixturevalue("provider")
        text = models.read_text(encoding="utf-8")
        assert "https://api.openai.com/v1" in text
        models.write_text(text.replace("https://api.openai.com/v1", address), encoding="utf-8")
    reader.paste(block)


def test_the_first_provider_served(reader: Reader) -> None:
    read = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9000/requests').read().decode())"
    seen = run("docker", "exec", PROVIDER, "python3", "-c", read).stdout
    assert '"model":"gpt-5-mini"' in seen
    assert '"model":"gpt-5"' in seen

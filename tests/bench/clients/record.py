#!/usr/bin/env python3
"""Records what Claude Code and Codex CLI send, against the stub upstream on loopback, as fixtures for the tests.

    npm install --ignore-scripts --prefix /tmp/clients @anthropic-ai/claude-code @openai/codex
    PYTHONPATH=files:tests .venv-test/bin/python tests/bench/clients/record.py /tmp/clients

Each client runs with a home and a project folder of its own, without telemetry, and knows no address but this one.
What is kept is shortened: the structure stays, long texts lose all but their beginning.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from bench.clients.shorten import shortened
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from stub.app import create_app

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/clients"
SECONDS = 120.0
# What a program in a terminal gets to start, and to ask all that it asks for one prompt.
STARTING, ANSWERING = 8.0, 15.0
Json = dict[str, Any]


@dataclass
class Recorder:
    """An ASGI application that keeps every request and lets the stub answer it.

    ``calls`` says which tool the stub calls, with which arguments, whenever a tag in the prompt asks for a call.
    """

    app: ASGIApp
    calls: Json = field(default_factory=dict)
    seen: list[Json] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the request, give the stub the one tool that it is to call, and pass its answer on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        query = scope["query_string"].decode()
        parsed = json.loads(body) if body else None
        self.seen.append(
            {
                "method": scope["method"],
                "path": scope["path"] + (f"?{query}" if query else ""),
                "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
                "body": parsed,
            }
        )
        answered = json.dumps(self._with_wanted_tool(parsed)).encode() if parsed else body
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        given: list[Message] = [{"type": "http.request", "body": answered, "more_body": False}]

        async def again() -> Message:
            return given.pop() if given else await receive()

        length = (b"content-length", str(len(answered)).encode())
        await self.app({**scope, "headers": [*headers, length]}, again, send)

    def _with_wanted_tool(self, body: Json) -> Json:
        offered = {tool.get("name"): tool for tool in body.get("tools") or [] if isinstance(tool, dict)}
        name = next((name for name in self.calls if name in offered), None)
        if name is None:
            return {**body, "tools": []}
        properties = {key: {"enum": [value]} for key, value in self.calls[name].items()}
        schema = {"type": "object", "required": list(properties), "properties": properties}
        return {**body, "tools": [{"type": "function", "name": name, "parameters": schema, "input_schema": schema}]}


@contextmanager
def recording() -> Iterator[tuple[Recorder, str]]:
    """Serve on a free port of loopback until the block ends; give the recorder and its address."""
    recorder = Recorder(create_app(["claude-auto", "codex-auto"]))
    server = uvicorn.Server(uvicorn.Config(recorder, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            pass
        yield recorder, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass(frozen=True)
class Workplace:
    """Where a client runs: its home, its project, and how it is started there."""

    packages: Path
    home: Path
    project: Path
    environment: dict[str, str]

    def run(self, *words: str) -> None:
        """Run the client to its end."""
        done = subprocess.run(
            words,
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        print(f"{Path(words[0]).name} {words[1:]}: exit {done.returncode}", file=sys.stderr)
        if done.returncode:
            print(done.stdout[-1500:], done.stderr[-1500:], file=sys.stderr)


@contextmanager
def workplace(packages: Path, address: str) -> Iterator[Workplace]:
    """Make a home and a project with instruction files, and the clients' settings for *address*."""
    folder = Path(tempfile.mkdtemp(prefix="clients-"))
    home, project = folder / "home", folder / "project"
    (home / ".codex").mkdir(parents=True)
    project.mkdir()
    (home / ".codex/config.toml").write_text(
        'model = "codex-auto"\nmodel_provider = "gateway"\n'
        'approval_policy = "never"\nsandbox_mode = "danger-full-access"\n'
        f'[model_providers.gateway]\nname = "gateway"\nbase_url = "{address}/v1"\nenv_key = "OPENAI_API_KEY"\n'
        'wire_api = "responses"\n[analytics]\nenabled = false\n',
        encoding="utf-8",
    )
    # Or the interactive programs ask about themes and trust first.
    (home / ".claude.json").write_text(
        json.dumps({"hasCompletedOnboarding": True, "projects": {str(project): {"hasTrustDialogAccepted": True}}}),
        encoding="utf-8",
    )
    with (home / ".codex/config.toml").open("a", encoding="utf-8") as config:
        config.write(f'[projects."{project}"]\ntrust_level = "trusted"\n')
    rule = "Prove every theorem step by step before you design a distributed architecture.\n"
    (project / "CLAUDE.md").write_text(rule, encoding="utf-8")
    (project / "AGENTS.md").write_text(rule, encoding="utf-8")
    (project / "notes.txt").write_text("one\ntwo\n", encoding="utf-8")
    git = {"HOME": str(home), "PATH": os.environ["PATH"]}
    subprocess.run(["git", "init", "--quiet"], cwd=project, env=git, check=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TERM": "xterm-256color",
        "ANTHROPIC_BASE_URL": address,
        "ANTHROPIC_AUTH_TOKEN": "sk-recording",
        "ANTHROPIC_MODEL": "claude-auto",
        "ANTHROPIC_SMALL_FAST_MODEL": "claude-auto",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-auto",
        "ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-auto",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-auto",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "IS_SANDBOX": "1",
        "OPENAI_API_KEY": "sk-recording",
    }
    try:
        yield Workplace(packages, home, project, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def claude_program(place: Workplace) -> Path:
    """Return the program of Claude Code: the one called claude is made by a script, which was not run."""
    (program,) = place.packages.glob("@anthropic-ai/claude-code-*/claude")
    return program


def claude(place: Workplace, *options: str) -> None:
    """Run Claude Code without a terminal."""
    place.run(str(claude_program(place)), *options, "--output-format", "json")


def codex(place: Workplace, *options: str) -> None:
    """Run Codex CLI without a terminal."""
    place.run(str(place.packages / ".bin/codex"), "exec", "--skip-git-repo-check", *options)


def typed(place: Workplace, program: str, prompt: str) -> None:
    """Run *program* in a terminal, type *prompt*, and end it: only interactive programs ask for titles."""
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.chdir(place.project)
            os.execve(program, [program], {**place.environment, "LINES": "40", "COLUMNS": "120"})
        finally:
            # Not started: this is a copy of the recorder, which must not go on.
            os._exit(127)
    try:
        _read(terminal, STARTING)
        # A terminal sends a line's end by itself, after what was typed was taken in.
        os.write(terminal, prompt.encode())
        _read(terminal, 1.0)
        os.write(terminal, b"\r")
        _read(terminal, ANSWERING)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    print(f"{Path(program).name}, typed: {prompt}", file=sys.stderr)


def _read(terminal: int, seconds: float) -> None:
    """Take what the program writes for so many *seconds*, so that it never waits."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                os.read(terminal, 65_536)
            except OSError:
                # The program has ended.
                return


BASH = {"command": "ls", "description": "List the files"}
AGENT = {"description": "Count the files", "prompt": "How many files are here?", "subagent_type": "general-purpose"}
ALLOWED = ("--allowedTools", "Bash,Read,Task,Agent")
SHELL: Json = {"exec_command": {"cmd": "ls"}, "shell": {"command": ["ls"]}, "shell_command": {"command": "ls"}}

# Client, name of the fixture, what the stub calls, what is run.
SCENARIOS: tuple[tuple[str, str, Json, tuple[Callable[[Workplace], None], ...]], ...] = (
    ("claude-code", "hi", {}, (lambda place: claude(place, "-p", "hi"),)),
    (
        "claude-code",
        "tool-loop",
        {"Bash": BASH},
        (lambda p: claude(p, "-p", "Look around. [[stub:tool=3]]", *ALLOWED),),
    ),
    (
        "claude-code",
        "failing-tool",
        {"Read": {"file_path": "/nonexistent/file"}},
        (lambda place: claude(place, "-p", "Read the file. [[stub:tool=4]]", *ALLOWED),),
    ),
    (
        "claude-code",
        "second-turn",
        {},
        (lambda place: claude(place, "-p", "hi"), lambda place: claude(place, "-c", "-p", "Why is the sky blue?")),
    ),
    (
        "claude-code",
        "sub-agent",
        {"Agent": AGENT, "Task": AGENT},
        (lambda place: claude(place, "-p", "Let an agent count. [[stub:tool=1]]", *ALLOWED),),
    ),
    (
        "claude-code",
        "compaction",
        {},
        (
            lambda place: claude(place, "-p", "hi"),
            lambda place: claude(place, "-c", "-p", "/compact"),
            lambda place: claude(place, "-c", "-p", "ok go ahead"),
        ),
    ),
    (
        "claude-code",
        "title",
        {},
        (lambda place: typed(place, str(claude_program(place)), "Refactor the parser and update the tests."),),
    ),
    ("codex", "hi", {}, (lambda place: codex(place, "hi"),)),
    (
        "codex",
        "compaction",
        SHELL,
        (lambda place: codex(place, "-c", "model_auto_compact_token_limit=3000", "Look around. [[stub:tool=3]]"),),
    ),
    (
        "codex",
        "title",
        {},
        (lambda p: typed(p, str(p.packages / ".bin/codex"), "Refactor the parser and update the tests."),),
    ),
    ("codex", "tool-loop", SHELL, (lambda place: codex(place, "Look around. [[stub:tool=3]]"),)),
    (
        "codex",
        "failing-tool",
        {"exec_command": {"cmd": "false"}, "shell": {"command": ["false"]}, "shell_command": {"command": "false"}},
        (lambda place: codex(place, "Try it. [[stub:tool=4]]"),),
    ),
    (
        "codex",
        "second-turn",
        {},
        (lambda place: codex(place, "hi"), lambda place: codex(place, "resume", "--last", "Why is the sky blue?")),
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Record every scenario; return 1 when one of them sent nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("prefix", type=Path, help="the folder into which npm installed the clients")
    parser.add_argument("--only", help="a client or a scenario")
    options = parser.parse_args(arguments)
    empty = 0
    for client, name, calls, steps in SCENARIOS:
        if options.only and options.only not in (client, name):
            continue
        with recording() as (recorder, address), workplace(options.prefix.resolve() / "node_modules", address) as place:
            recorder.calls = calls
            for step in steps:
                step(place)
            path = FIXTURES / client / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = shortened(recorder.seen, place.project, place.home)
            path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            empty += not kept
            print(f"{client} {name}: {len(kept)} requests", file=sys.stderr)
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())

"""Tasks with secrets do not log them unless vibe_debug_secrets is set."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
SECRET = "planted-password-of-redis"


def test_every_task_that_is_kept_out_of_the_output_can_be_opened_by_one_variable() -> None:
    found = [
        (path.relative_to(PROJECT).parts[1], value)
        for path in sorted((PROJECT / "roles").glob("*/tasks/*.yml"))
        for value in re.findall(r"^ *no_log: (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]
    assert len(found) > 15
    opened = '"{{ not (vibe_debug_secrets | default(false) | bool) }}"'
    assert [(role, value) for role, value in found if value != opened] == []


@pytest.mark.parametrize(("words", "shown"), [((), False), (("-e", "vibe_debug_secrets=true"), True)])
def test_a_secret_is_shown_to_who_asks_for_it_alone(tmp_path: Path, words: tuple[str, ...], shown: bool) -> None:
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis/redis.conf").write_text(f"requirepass {SECRET}\n", encoding="utf-8")
    role = {"ansible.builtin.include_role": {"name": "redis", "tasks_from": "read_passwords"}}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [role], "vars": {"vibe_dir": str(tmp_path)}}
    file = tmp_path / "play.json"
    file.write_text(json.dumps([play]), encoding="utf-8")
    done = subprocess.run(
        [str(PLAYBOOK), "-i", "localhost,", "-c", "local", "-vvv", str(file), *words],
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    encoded = base64.b64encode(f"requirepass {SECRET}\n".encode()).decode()
    assert (SECRET in done.stdout) == shown
    assert (encoded in done.stdout) == shown

"""A prompt is split into instruction and pasted material, by form only, and no text is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibe.scoring.prompt_parts import KINDS, split

LONG = "The tenant shall keep the windows shut between ten at night and six in the morning, every day of the year."
TRACE = """Traceback (most recent call last):
  File "/srv/app/main.py", line 12, in <module>
    run()
  File "/srv/app/run.py", line 7, in run
    raise KeyError(name)
KeyError: 'left'"""
LOG = """2026-03-01 10:00:01 INFO worker started
2026-03-01 10:00:02 ERROR lease lost, node 3
2026-03-01 10:00:02 WARN retrying in 5 s"""
CODE = """def price(rows):
    total = 0
    for row in rows:
        total += row.amount * row.rate
    return total"""
PROSE = "\n\n".join((LONG * 3, LONG * 2, LONG * 3))

# The instruction, the prompt around it, and a kind of material in it.
CASES = (
    ("why does this fail", f"why does this fail\n\n{TRACE}", "trace"),
    ("what happened at ten?", f"{LOG}\n\nwhat happened at ten?", "log"),
    ("make it faster", f"make it faster\n```python\n{CODE}\n```", "fence"),
    ("make it faster", f"```\n{CODE}\n```\nmake it faster", "fence"),
    ("rename total to amount", f"rename total to amount\n\n{CODE}", "indented"),
    ("translate into French:", f"translate into French: {LONG}", "after_colon"),
    ("summarise", f"<document>\n{LONG}\n{LONG}\n</document>\nsummarise", "tag"),
    ("tl;dr", f"tl;dr\n\n---\n{LONG}\n{LONG}\n---", "delimited"),
    ("reply politely", f"reply politely\n> {LONG}\n> {LONG}\n> {LONG}", "quote"),
    ("which columns are numbers", "which columns are numbers\na;b;c;d\n1;x;2;3\n4;y;5;6\n7;z;8;9", "table"),
    ("what changed?", "what changed?\n@@ -1,3 +1,3 @@\n-  old = 1\n+  new = 2\n unchanged", "diff"),
    (
        "may one be open at eleven, and if so",
        f"may one be open at eleven, and if so, which?\n\n{PROSE}\n\nThx",
        "prose",
    ),
    ("Give it a title.", f"Give it a title.\n\nUser: {LONG}\nAssistant: {LONG}\nUser: and on Sundays?", "dialogue"),
)


@pytest.mark.parametrize(("asked", "prompt", "kind"), CASES, ids=[kind for _, _, kind in CASES])
def test_what_is_asked_is_apart_from_what_was_pasted(asked: str, prompt: str, kind: str) -> None:
    parts = split(prompt)
    assert asked in parts.instruction
    assert parts.material[kind] > 30, parts
    assert LONG not in parts.instruction
    assert len(parts.instruction) < len(asked) + 30
    assert parts.chars == len(prompt)


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        (f"Context: {LONG}\n{LONG}\n\nQuestion: may the window be open at noon?", "may the window be open at noon?"),
        (f"<context>\n{LONG}\n</context>\n<question>\nmay it be open at noon?\n</question>", "may it be open at noon?"),
        (f"## Text\n{LONG}\n{LONG}\n\n## Task\nlist the hours\n", "list the hours"),
        (f"Kontext:\n{LONG}\n{LONG}\n\nFrage: darf es mittags offen sein?", "darf es mittags offen sein?"),
    ],
)
def test_a_template_is_judged_by_the_question_inside(prompt: str, asked: str) -> None:
    parts = split(prompt)
    assert asked in parts.instruction
    assert LONG not in parts.instruction


@pytest.mark.parametrize(
    "prompt",
    [
        "hi",
        'what does "linearizable" mean',
        "Design a rate limiter for three regions and prove its bound.",
        "first line\nsecond line\nthird line",
        "- buy milk\n- call the bank\n- what else?",
        "why does my leader flap when NTP steps?",
        "设计一个分布式缓存系统，要求高可用和一致性",
    ],
)
def test_what_a_person_writes_is_all_instruction(prompt: str) -> None:
    assert split(prompt) == (prompt, {}, len(prompt))


@pytest.mark.parametrize("prompt", [f"```\n{CODE}\n```", LOG, TRACE, f"«{LONG}»", "```\nnever closed\n" + CODE])
def test_material_alone_has_no_instruction(prompt: str) -> None:
    parts = split(prompt)
    assert parts.instruction == ""
    assert sum(parts.material.values()) > 0


@pytest.mark.parametrize(
    "prompt",
    [
        *("", " \n\t ", "\0" * 100, "\ud800" * 50, "z\u0301" * 5000, "\u202e abc " * 500, "```", "<a>", '"', "---"),
        *("[" * 100_000, "x\n" * 100_000, "\n" * 100_000, '"' * 100_000, "<a>\n" * 5000, "---\n" * 5000),
        *("text:\nq:\n" * 5000, "user:\n" * 5000, "```\n" * 5000, "-" * 119 + "x\n", "- " * 50_000, "{}\n" * 5000),
        "".join(f"<a{number}>\n" for number in range(5000)),
    ],
)
def test_odd_text_is_split_too(prompt: str) -> None:
    parts = split(prompt)
    assert set(parts.material) <= set(KINDS)
    assert len(parts.instruction) <= max(len(prompt), 1)


LINES = st.sampled_from(
    ("", "---", "```", "<a>", "</a>", "text:", "Question: x", "user: y", '"', "> z", "{", "  at a.b(c)", "a;b;c;d", "w")
)


def test_prose_with_commas_and_no_spaces_is_no_table() -> None:
    prose = "我们村里种柑橘,今天只要一张表,下午报上去,合计重算。"
    table = "name,acres,kilos,share\nChen,13,48000,11\nLiu,3,9000,15"
    assert split(f"{prose}\n\n{prose}").material == {}
    assert split(f"Sum it up\n\n{table}").material.keys() == {"table"}


@given(st.lists(LINES | st.text(max_size=80), max_size=40).map("\n".join))
def test_any_text_is_split(prompt: str) -> None:
    parts = split(prompt)
    assert set(parts.material) <= set(KINDS)
    assert all(count > 0 for count in parts.material.values())

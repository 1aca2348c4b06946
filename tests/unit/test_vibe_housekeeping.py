"""Clients' background requests, in the wording of their current versions: each is routed by its purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from vibe.commands.explain import requests_of_file
from vibe.memory.store import MemoryStore
from vibe.request.request import Request, read_request
from vibe.request.turn_kind import MAIN
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.routing.decision import Decision, decide
from vibe.scoring.scorer import load_prior
from vibe_fixtures import HARD, HI

FAMILY = Family("claude", "claude-auto", "pool-haiku", "pool-sonnet", "pool-sonnet", 50)
ROUTES = Routes({"claude-auto": FAMILY}, frozenset(("pool-haiku", "pool-sonnet")))
CHEAP, STRONG = "pool-haiku", "pool-sonnet"
PRIOR = load_prior()
TOOLS = [{"name": "Bash", "input_schema": {"type": "object"}}]
SESSION = {"x-claude-code-session-id": "s-1", "user-agent": "claude-cli/2.1.332 (external, cli)"}
REFACTOR = "Refactor the parser into two modules, keep every error position exact, and prove that no input differs."


def _schema(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"}}}


def _body(prompt: str, system: object = None, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt}], **({"system": system} if system else {}), **more}


CLAUDE_CODE_TITLE = _body(
    f"<session>\n{REFACTOR}\n</session>\n\nWrite the title in the predominant language of the session \u2014 a stray "
    "word or code token in another language doesn't change it, and neither does the English of these instructions.",
    [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.332.c33; cc_entrypoint=cli;"},
        {"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude."},
        {
            "type": "text",
            "text": "You are naming a coding session so the user can pick it out of a long list of sessions. "
            "The title is a name \u2026",
        },
    ],
    output_config={"format": {"type": "json_schema", "schema": _schema("title")}},
)
CODEX_TITLE = (
    "Generate a concise, single-line task title of at most 36 characters and under five words where possible. Start "
    "with an imperative verb. Capitalize only the first word unless the user's language, proper nouns, acronyms, or "
    "code terms require otherwise. Preserve ticket references exactly. Do not answer the request.\n\nUser prompt:\n"
)
CLAUDE_CODE_COMPACTION = (
    "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\n- Do NOT use Read, Bash, Grep, Glob, Edit, Write, or "
    "ANY other tool.\n- You already have all the context you need in the conversation above.\n\nYour task is to create "
    "a detailed summary of the conversation so far, paying close attention to the user's explicit requests and your "
    "previous actions."
)
CODEX_COMPACTION = (
    "You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff summary for another LLM that will resume "
    "the task."
)
RECAP = (
    "The user stepped away and is coming back. Recap in under 40 words, 1-2 plain sentences, no markdown. Lead with "
    "the overall goal and current task, then the one next action. Skip root-cause narrative, fix internals, secondary "
    "to-dos, and em-dash tangents."
)
# Client, request, API, and kind of turn.
BACKGROUND: tuple[tuple[str, dict[str, Any], dict[str, str], str], ...] = (
    ("Claude Code 2.1.332, title", CLAUDE_CODE_TITLE, SESSION, "title"),
    (
        "Claude Code, /rename",
        _body(
            f"<conversation>\nUser: {HARD}\n</conversation>\n\nName it.",
            output_config={"format": {"schema": _schema("name")}},
        ),
        SESSION,
        "title",
    ),
    ("Claude Code, recap", _body(RECAP, tools=TOOLS), SESSION, "recap"),
    (
        "Claude Code, suggestion",
        _body("[SUGGESTION MODE: Suggest what the user might naturally type next into Claude Code.]", tools=TOOLS),
        SESSION,
        "suggestions",
    ),
    (
        "Claude Code, WebFetch",
        _body(f"Web page content:\n---\n{HARD}\n---\n\nWho wrote it?"),
        SESSION,
        "web page",
    ),
    (
        "Claude Code, --json-schema",
        _body(
            "[structured-output-enforce] You MUST call the StructuredOutput tool to complete this request. "
            "Call this tool now.",
            tools=TOOLS,
        ),
        SESSION,
        "structured output",
    ),
    (
        "Codex 0.171.0, title",
        {"input": CODEX_TITLE + HARD, "text": {"format": {"type": "json_schema", "schema": _schema("title")}}},
        {"x-codex-turn-metadata": '{"thread_source":"thread_title"}'},
        "title",
    ),
    ("Codex 0.171.0, title by its words alone", {"input": CODEX_TITLE + HARD}, {}, "title"),
    (
        "opencode 1.18.33, title",
        {
            "messages": [
                {"role": "system", "content": "You are a title generator. You output ONLY a thread title."},
                {"role": "user", "content": HARD},
            ]
        },
        {},
        "title",
    ),
    (
        "opencode, summary",
        _body(f"Here is the conversation so far:\n\n{HARD}", "You are a context summarization agent."),
        {},
        "compaction",
    ),
    (
        "pi 0.73.1, summary",
        _body(f"<conversation>\n{HARD}\n</conversation>", "You are a context summarization assistant."),
        {},
        "compaction",
    ),
    (
        "LangChain 1.5.2, SummarizationMiddleware",
        _body(f"<role>\nContext Extraction Assistant\n</role>\n\n<messages>\n{HARD}\n</messages>"),
        {},
        "compaction",
    ),
    (
        "aider 0.86.2, summary",
        {
            "messages": [
                {"role": "system", "content": "*Briefly* summarize this partial conversation about programming."},
                {"role": "user", "content": f"# USER\n{HARD}"},
            ]
        },
        {},
        "compaction",
    ),
    (
        "aider 0.86.2, commit message",
        {
            "messages": [
                {
                    "role": "system",
                    "content": "You are an expert software engineer that generates concise, one-line Git commit "
                    "messages based on the provided diffs.",
                },
                {"role": "user", "content": f"# Diffs:\n+{HARD}"},
            ]
        },
        {},
        "commit message",
    ),
    (
        "qwen-code 0.24.4, memory by its system prompt",
        _body(HARD, "You are now acting as the managed memory extraction subagent"),
        {},
        "memory",
    ),
    (
        "qwen-code 0.24.4, memory by its prompt, with tools",
        _body(f"Managed memory has TWO directories. {HARD}", tools=TOOLS),
        {},
        "memory",
    ),
    (
        "Open WebUI, title",
        _body(f"### Task:\nGenerate a concise, 3-5 word title with an emoji.\n<chat_history>\n{HARD}\n</chat_history>"),
        {},
        "title",
    ),
    (
        "Open WebUI, tags",
        _body(
            "### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history.\n"
            f"<chat_history>\n{HARD}\n</chat_history>"
        ),
        {},
        "tags",
    ),
    (
        "Open WebUI, follow-up questions",
        _body(
            "### Task:\nSuggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next.\n"
            f"<chat_history>\n{HARD}\n</chat_history>"
        ),
        {},
        "suggestions",
    ),
    (
        "LangChain, condensed question",
        _body(
            "Given the following conversation and a follow up question, rephrase the follow up question to be a "
            f"standalone question.\n\nChat History:\n{HARD}\n\nFollow Up Input: and why?"
        ),
        {},
        "query",
    ),
    ("an answer of tags alone", _body(HARD, response_format={"json_schema": {"schema": _schema("tags")}}), {}, "tags"),
    ("a title of a few tokens", _body(f"Write a title for this chat: {HARD}", max_tokens=24), {}, "title"),
)


def _read(body: dict[str, Any], headers: dict[str, str]) -> Request:
    call_type = "aresponses" if "input" in body else "anthropic_messages" if "system" in body else "acompletion"
    data = {"model": "claude-auto", **body, "proxy_server_request": {"headers": headers}}
    return read_request(data, call_type, "one")


def _decided(request: Request, store: MemoryStore) -> Decision:
    key = request.conversation.key if request.conversation else ""
    decision, new = decide(FAMILY, ROUTES, PRIOR, request, store.peek(key))
    if new is not None:
        store.put(key, new)
    return decision


@pytest.mark.parametrize(
    ("body", "headers", "kind"), [row[1:] for row in BACKGROUND], ids=[row[0] for row in BACKGROUND]
)
def test_a_clients_own_turn_goes_cheap_and_leaves_no_mark(
    body: dict[str, Any], headers: dict[str, str], kind: str
) -> None:
    store = MemoryStore()
    request = _read(body, headers)
    assert request.turn == kind
    decision = _decided(request, store)
    assert (decision.target, decision.rule, decision.reasons) == (CHEAP, "background", (kind,))
    # The user's prompt comes next, in the same session.
    asked = _read(_body(HARD, system="x", tools=TOOLS), headers if headers is SESSION else {})
    assert (asked.turn, _decided(asked, store).target) == (MAIN, STRONG)


@pytest.mark.parametrize(
    "prompt",
    [
        "Give the name of the thread that deadlocks in this dump and prove that no other does.",
        "Write a title, an abstract and a proof for a talk on chat protocols that survive partitions.",
        "Name the conversation states of this protocol and show that each is reachable.",
        "Generate a search query planner that rewrites a question over five shards, and prove that it ends.",
        "Write a summary of the conversation between Bohr and Einstein and decide who was right, with a derivation.",
        "Review this diff and give suggestions for its locking.",
        "Compare our context window with that of our rivals and design a cache that keeps it warm in three regions.",
        "Write the commit message and then find out why the rebase drops the merge, and how to prevent it for good.",
    ],
)
def test_what_a_person_asks_in_the_same_words_is_no_housekeeping(prompt: str) -> None:
    for more in ({}, {"tools": TOOLS}, {"max_tokens": 4096}, {"max_tokens": True}):
        assert _read(_body(prompt, **more), {}).turn == MAIN


@pytest.mark.parametrize(
    "system",
    [
        "You are a helpful assistant for Acme. Give customers the product name and the price.",
        "You are an SEO writer who gives each article a title and tags.",
        "Answer the question, then suggest two follow-up questions.",
        "Write blog posts with a title, tags and a headline.",
        "You are a tutor. Generate exercises, and give each a title.",
        "You help with code. Write commit messages in English.",
        "You are a senior engineer. Here is a summary of the conversation so far: they want a ledger.",
        "A summary of the conversation: they want a ledger.",
        "You are an expert in context compaction, context windows and search queries.",
    ],
)
def test_an_application_whose_system_prompt_speaks_of_such_things_is_no_housekeeping(system: str) -> None:
    store = MemoryStore()
    request = _read(_body(HARD, system), {})
    assert request.turn == MAIN
    assert _decided(request, store).target == STRONG


@pytest.mark.parametrize(
    "prompt",
    [
        "Design context compaction for our coding agent so that no tool result is lost.",
        "Use the summary of the conversation above and design the ledger.",
        "What is a context summarization agent, and how would you prove that it loses nothing?",
    ],
)
@pytest.mark.parametrize("before", [[], [{"role": "user", "content": HI}, {"role": "assistant", "content": "hello"}]])
def test_a_prompt_about_compaction_is_none(prompt: str, before: list[dict[str, Any]]) -> None:
    turns = [*before, {"role": "user", "content": prompt}]
    assert _read({"messages": turns, "tools": TOOLS}, {}).turn == MAIN


def test_tools_make_work_of_a_system_prompt_that_speaks_of_titles() -> None:
    assert _read(_body(HARD, "You are a title generator", tools=TOOLS), {}).turn == MAIN


@pytest.mark.parametrize(("first", "pool"), [(HI, CHEAP), (HARD, STRONG)], ids=["a cheap conversation", "a strong one"])
@pytest.mark.parametrize("prompt", [CLAUDE_CODE_COMPACTION, CODEX_COMPACTION])
@pytest.mark.parametrize("headers", [SESSION, {}], ids=["named", "by its digest"])
def test_a_compaction_goes_where_the_conversation_is(
    first: str, pool: str, prompt: str, headers: dict[str, str]
) -> None:
    store = MemoryStore()
    turns = [{"role": "user", "content": first}, {"role": "assistant", "content": "hello"}]
    assert _decided(_read({"messages": turns[:1], "system": "x", "tools": TOOLS}, headers), store).target == pool
    shortens = _read(
        {"messages": [*turns, {"role": "user", "content": prompt}], "system": "x", "tools": TOOLS}, headers
    )
    decision = _decided(shortens, store)
    assert (decision.target, decision.rule, decision.reasons) == (pool, "background", ("compaction",))
    # A background turn in the history does not change the decision.
    turns += [{"role": "user", "content": prompt}, {"role": "assistant", "content": "a summary"}]
    asked = _read({"messages": [*turns, {"role": "user", "content": "ok go ahead"}], "system": "x"}, headers)
    assert _decided(asked, store).target == pool


def test_an_automatic_compaction_in_a_tool_loop_stays_too() -> None:
    store = MemoryStore()
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}]}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "done"}
    turns = [{"role": "user", "content": HI}, call]
    assert _decided(_read({"messages": turns[:1], "system": "x", "tools": TOOLS}, SESSION), store).target == CHEAP
    both = {"role": "user", "content": [result, {"type": "text", "text": CLAUDE_CODE_COMPACTION}]}
    decision = _decided(_read({"messages": [*turns, both], "system": "x", "tools": TOOLS}, SESSION), store)
    assert (decision.target, decision.reasons) == (CHEAP, ("compaction",))


SUMMARIES = (
    "This session is being continued from a previous conversation that ran out of context. The summary: " + HARD,
    "Another language model started to solve this problem and produced a summary of its thinking process. " + HARD,
)


@pytest.mark.parametrize("summary", SUMMARIES)
def test_the_summary_that_a_client_injects_is_no_prompt(summary: str) -> None:
    store = MemoryStore()
    assert _decided(_read(_body(HI, system="x", tools=TOOLS), SESSION), store).target == CHEAP
    alone = _read(_body(summary, system="x", tools=TOOLS), SESSION)
    assert alone.prompt is None
    assert (_decided(alone, store).target, _decided(alone, store).rule) == (CHEAP, "inherit")
    parts = [{"type": "text", "text": summary}, {"type": "text", "text": "ok go ahead"}]
    both = _read({"messages": [{"role": "user", "content": parts}], "system": "x", "tools": TOOLS}, SESSION)
    assert both.prompt == "ok go ahead"
    assert _decided(both, store).target == CHEAP


AIDER_RULES = (
    "To suggest changes to a file you MUST return the entire content of the updated file.\nYou MUST use this *file "
    "listing* format:\n\npath/to/filename.js\n",
    "# *SEARCH/REPLACE block* Rules:\n\nEvery *SEARCH/REPLACE block* must use this format:\n1. The *FULL* file path",
    "# File editing rules:\n\nReturn edits similar to unified diffs that `diff -U0` would produce.",
)


@pytest.mark.parametrize("rules", AIDER_RULES)
@pytest.mark.parametrize(("asked", "pool"), [("hi", CHEAP), (HARD, STRONG)])
def test_the_rules_that_aider_appends_are_cut(rules: str, asked: str, pool: str) -> None:
    request = _read(_body(f"{asked}\n\n{rules}"), {})
    assert request.prompt == asked
    assert _decided(request, MemoryStore()).target == pool


# The kinds of the clients' turns, in order, and the pool of each.
RECORDED: dict[str, list[tuple[str, str]]] = {
    "claude-code/title": [("title", "background"), (MAIN, "score")],
    "claude-code/compaction": [
        (MAIN, "score"),
        ("compaction", "background"),
        ("compaction", "background"),
        (MAIN, "inherit"),
    ],
    "codex/title": [(MAIN, "score"), ("title", "background")],
    "codex/compaction": [(MAIN, "score"), ("compaction", "background"), (MAIN, "score")],
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_turns_go_where_they_belong(name: str) -> None:
    folder = Path(__file__).resolve().parents[1] / "fixtures/clients"
    store = MemoryStore()
    found = []
    for request in requests_of_file(folder / f"{name}.json"):
        decision = _decided(request, store)
        found.append((request.turn, decision.rule))
        assert decision.target == CHEAP
    assert found == RECORDED[name]


@pytest.mark.parametrize("value", ["", "{", "[]", "null", '{"thread_source": []}', "x" * 20_000, 7, None])
def test_a_turns_metadata_that_says_nothing_is_ignored(value: Any) -> None:
    assert _read(_body(HARD), {"x-codex-turn-metadata": value}).turn == MAIN


@pytest.mark.parametrize("schema", [None, [], {"properties": None}, {"properties": []}, {"properties": {}}])
def test_a_schema_of_any_shape_is_tolerated(schema: Any) -> None:
    assert _read(_body(HARD, response_format={"json_schema": {"schema": schema}}), {}).turn == MAIN

"""What users of the OpenAI and Anthropic SDKs try in their first ten minutes, with the real SDKs."""

from __future__ import annotations

from typing import Any, Literal

import anthropic
import openai
import pytest
from pydantic import BaseModel
from vibe_fixtures import HARD

VIRTUAL_MODELS = ("chat-auto", "codex-auto", "claude-auto")
HELLO: list[Any] = [{"role": "user", "content": "hi"}]
WRONG = "sk-not-the-key-of-this-gateway"


class Step(BaseModel):
    """A part of a plan."""

    title: str
    minutes: int


class Plan(BaseModel):
    """The schema that an agent framework would request."""

    goal: str
    urgency: Literal["low", "high"]
    steps: list[Step]
    owner: str | None


PLAN_TOOL: Any = {"name": "plan", "description": "Record a plan.", "input_schema": Plan.model_json_schema()}


@pytest.fixture(scope="module")
def client(deployed: dict[str, str]) -> openai.OpenAI:
    return openai.OpenAI(base_url=deployed["OPENAI_BASE_URL"], api_key=deployed["OPENAI_API_KEY"], max_retries=0)


@pytest.fixture(scope="module")
def claude(deployed: dict[str, str]) -> anthropic.Anthropic:
    url = deployed["OPENAI_BASE_URL"].removesuffix("/v1")
    return anthropic.Anthropic(base_url=url, api_key=deployed["OPENAI_API_KEY"], max_retries=0)


@pytest.mark.supports("errors, in their words", "openai", "anthropic")
@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_key_is_an_authentication_error(
    client: openai.OpenAI, claude: anthropic.Anthropic, stream: bool
) -> None:
    wrong, wrong_claude = client.with_options(api_key=WRONG), claude.with_options(api_key=WRONG)
    with pytest.raises(openai.AuthenticationError, match="does not know this API key") as chat:
        wrong.chat.completions.create(model="chat-auto", messages=HELLO, stream=stream)
    assert chat.value.code == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError):
        wrong.responses.create(model="codex-auto", input="hi", stream=stream)
    with pytest.raises(openai.AuthenticationError):
        wrong.models.list()
    with pytest.raises(anthropic.AuthenticationError, match="does not know this API key"):
        wrong_claude.messages.create(model="claude-auto", max_tokens=16, messages=HELLO, stream=stream)


@pytest.mark.supports("errors, in their words", "openai", "anthropic")
def test_a_model_that_does_not_exist_is_not_found(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    with pytest.raises(openai.NotFoundError, match="`gpt-99` does not exist") as chat:
        client.chat.completions.create(model="gpt-99", messages=HELLO)
    assert chat.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError) as responses:
        client.responses.create(model="gpt-99", input="hi", stream=True)
    assert responses.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="gpt-99", input="hi")
    with pytest.raises(anthropic.NotFoundError, match="`claude-99` does not exist") as messages:
        claude.messages.create(model="claude-99", max_tokens=16, messages=HELLO)
    assert "'type': 'not_found_error'" in str(messages.value.body)


@pytest.mark.supports("embeddings", "openai")
@pytest.mark.supports("list of models", "openai")
def test_embeddings_are_listed_and_answered(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert {*VIRTUAL_MODELS, "text-embedding-3-small"} <= listed
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two", "one"])
    vectors = [row.embedding for row in answer.data]
    assert vectors[0] == vectors[2] != vectors[1]
    assert len(client.embeddings.create(model="text-embedding-3-small", input="x", dimensions=8).data[0].embedding) == 8


@pytest.mark.supports("structured output", "openai")
@pytest.mark.supports("Chat Completions", "openai")
@pytest.mark.parametrize("model", VIRTUAL_MODELS)
def test_chat_answers_with_a_pydantic_model(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.parse(model=model, messages=HELLO, response_format=Plan)
    assert isinstance(answer.choices[0].message.parsed, Plan)


@pytest.mark.supports("structured output", "openai")
@pytest.mark.supports("Responses", "openai")
@pytest.mark.parametrize("model", VIRTUAL_MODELS)
def test_responses_answers_with_a_pydantic_model(client: openai.OpenAI, model: str) -> None:
    assert isinstance(client.responses.parse(model=model, input="hi", text_format=Plan).output_parsed, Plan)


@pytest.mark.supports("structured output", "openai")
@pytest.mark.parametrize("model", VIRTUAL_MODELS)
def test_a_streamed_structured_answer_is_whole(client: openai.OpenAI, model: str) -> None:
    with client.chat.completions.stream(model=model, messages=HELLO, response_format=Plan) as stream:
        final = stream.get_final_completion()
    assert isinstance(final.choices[0].message.parsed, Plan)


@pytest.mark.supports("tools", "openai", "anthropic")
@pytest.mark.supports("Messages", "anthropic")
@pytest.mark.parametrize("model", VIRTUAL_MODELS)
def test_a_demanded_tool_is_called(client: openai.OpenAI, claude: anthropic.Anthropic, model: str) -> None:
    choice: Any = {"type": "tool", "name": "plan"}
    answer = claude.messages.create(model=model, max_tokens=64, messages=HELLO, tools=[PLAN_TOOL], tool_choice=choice)
    block = next(block for block in answer.content if block.type == "tool_use")
    assert block.name == "plan"
    Plan.model_validate(block.input)
    tool = openai.pydantic_function_tool(Plan, name="plan")
    called = client.chat.completions.parse(model=model, messages=HELLO, tools=[tool], tool_choice="required")
    assert isinstance((called.choices[0].message.tool_calls or [])[0].function.parsed_arguments, Plan)


@pytest.mark.supports("streams", "openai", "anthropic")
def test_a_stream_comes_in_pieces_on_each_api(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    chat = client.chat.completions.create(model="chat-auto", messages=HELLO, stream=True)
    assert len([chunk for chunk in chat if chunk.choices and chunk.choices[0].delta.content]) > 1
    events = [event.type for event in client.responses.create(model="codex-auto", input="hi", stream=True)]
    assert events.count("response.output_text.delta") > 1
    with claude.messages.stream(model="claude-auto", max_tokens=64, messages=HELLO) as stream:
        assert len(list(stream.text_stream)) > 1


@pytest.mark.supports("counting tokens", "anthropic")
def test_tokens_are_counted(claude: anthropic.Anthropic) -> None:
    assert claude.messages.count_tokens(model="claude-auto", messages=HELLO).input_tokens > 0


@pytest.mark.supports("each prompt to its pool", "openai", "anthropic")
def test_a_simple_prompt_goes_cheap_and_a_hard_one_strong(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    for prompt, size, kind in (("hi", "mini", "haiku"), (HARD, "heavy", "sonnet")):
        assert f"stub-codex-{size}" in client.responses.create(model="codex-auto", input=prompt).output_text
        asked: list[Any] = [{"role": "user", "content": prompt}]
        block = claude.messages.create(model="claude-auto", max_tokens=64, messages=asked).content[0]
        assert block.type == "text"
        assert f"stub-claude-{kind}" in block.text


@pytest.mark.supports("a tool loop stays in its pool", "openai")
def test_a_tool_loop_of_the_openai_sdk_stays_in_its_pool(client: openai.OpenAI) -> None:
    turns: list[Any] = [{"role": "user", "content": "[[stub:tool=2]] hi"}]
    tool = openai.pydantic_function_tool(Step, name="step")
    for _ in range(3):
        message = client.chat.completions.create(model="chat-auto", messages=turns, tools=[tool]).choices[0].message
        turns.append(message)
        turns += [{"role": "tool", "tool_call_id": call.id, "content": "done"} for call in message.tool_calls or []]
    assert message.content == "stub answer from model stub-chat-mini on chat/completions after 2 tool result(s)"


@pytest.mark.supports("a tool loop stays in its pool", "anthropic")
def test_a_tool_loop_of_the_anthropic_sdk_stays_in_its_pool(claude: anthropic.Anthropic) -> None:
    turns: list[Any] = [{"role": "user", "content": "[[stub:tool=2]] hi"}]
    tool: Any = {"name": "step", "description": "Take a step.", "input_schema": Step.model_json_schema()}
    for _ in range(3):
        answer = claude.messages.create(model="claude-auto", max_tokens=64, messages=turns, tools=[tool])
        turns.append({"role": "assistant", "content": answer.content})
        uses = [block.id for block in answer.content if block.type == "tool_use"]
        turns.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": use} for use in uses]})
    assert answer.content[0].type == "text"
    assert "stub-claude-haiku" in answer.content[0].text
    assert "after 2 tool result(s)" in answer.content[0].text


@pytest.mark.supports("a tool loop stays in its pool", "anthropic")
def test_the_tool_runner_of_the_anthropic_sdk_sends_its_history(claude: anthropic.Anthropic) -> None:
    # By default it runs over a thread that the API keeps; it is refused, and the SDK falls back to the whole history.
    taken = []

    @anthropic.beta_tool
    def step(title: str, minutes: int) -> str:
        """Take a step.

        Args:
            title: what to do
            minutes: how long it takes
        """
        taken.append((title, minutes))
        return "done"

    hello: list[Any] = [{"role": "user", "content": "[[stub:tool=2]] hi"}]
    runner = claude.beta.messages.tool_runner(model="claude-auto", max_tokens=64, tools=[step], messages=hello)
    kinds = [message.content[0].type for message in runner]
    assert (kinds, len(taken)) == (["tool_use", "tool_use", "text"], 2)


@pytest.mark.supports("list of models", "openai", "anthropic")
@pytest.mark.parametrize("model", VIRTUAL_MODELS)
def test_a_model_can_be_asked_for_by_its_name(client: openai.OpenAI, claude: anthropic.Anthropic, model: str) -> None:
    assert client.models.retrieve(model).id == model
    assert claude.models.retrieve(model).display_name == model
    with pytest.raises(openai.NotFoundError, match="`gpt-99` does not exist") as missing:
        client.models.retrieve("gpt-99")
    assert missing.value.code == "model_not_found"
    with pytest.raises(anthropic.NotFoundError, match="`gpt-99` does not exist"):
        claude.models.retrieve("gpt-99")

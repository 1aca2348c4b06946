"""What the gateway accepts: keys, paths and bodies, as bytes on a socket. A refused request costs nothing."""

import itertools
import json
import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from e2e.machine import containers, haproxy, run, stub_requests, wait_for

ADDRESS = ("127.0.0.1", 4000)
MAX_BODY_BYTES = 33_554_432
WRONG_KEY_BURST = 20
AT_A_TIME, PER_MINUTE = 3, 200
TIMEOUT_SECONDS = 60
LOG_SECONDS = 10
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
APIS = (CHAT, RESPONSES, MESSAGES)


@dataclass
class Answer:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error object, which the SDKs of both APIs read."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        return error


def _send(head: bytes, *pieces: bytes) -> Answer:
    """Send bytes as they are; a gateway that answers early may close while *pieces* are still on their way."""
    with socket.create_connection(ADDRESS, timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(head)
        for piece in pieces:
            try:
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
        response = HTTPResponse(connection)
        response.begin()
        body = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def _request(api: str, headers: bytes, *, stream: bool = False, prompt: str = "hi") -> Answer:
    asked: dict[str, Any] = {"model": "claude-auto" if api == MESSAGES else "chat-auto", "stream": stream}
    asked |= {"input": prompt} if api == RESPONSES else {"messages": [{"role": "user", "content": prompt}]}
    body = json.dumps(asked | ({"max_tokens": 16} if api != RESPONSES else {})).encode()
    head = (
        b"POST %s HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Type: application/json\r\n" % api.encode()
    )
    return _send(head + b"Content-Length: %d\r\n" % len(body) + headers + b"\r\n", body)


def _router() -> str:
    return next(name for name in containers() if name.startswith("litellm-vibe-router-"))


def _router_log() -> str:
    done = run("docker", "logs", _router())
    return done.stdout + done.stderr


def _logged(request_id: str) -> list[str]:
    """Return the lines of the access log about a request; it is written after the answer, so wait for it."""

    def lines() -> list[str]:
        # HAProxy's own messages go to standard error.
        log = run("docker", "logs", "vibe-gateway").stdout.splitlines()
        return [line for line in log if f'"request_id":"{request_id}"' in line]

    wait_for(lines, LOG_SECONDS, lambda: f"no line about {request_id}")
    return lines()


@pytest.fixture
def key(deployed: dict[str, str]) -> bytes:
    return deployed["OPENAI_API_KEY"].strip("'").encode()


@pytest.fixture
def nothing_gets_through(deployed: dict[str, str]) -> Iterator[None]:
    """Require that no request of the test reached the stub or left a traceback in the router's log."""
    asked, tracebacks = stub_requests(), _router_log().count("Traceback")
    yield
    assert stub_requests() == asked
    assert _router_log().count("Traceback") == tracebacks


WRONG_KEYS = {
    "no key": b"",
    "wrong key": b"Authorization: Bearer sk-not-the-key-of-this-gateway\r\n",
    "wrong key for Anthropic's SDK": b"x-api-key: sk-not-the-key-of-this-gateway\r\n",
    "empty key": b"Authorization: Bearer \r\n",
    "empty header": b"Authorization:\r\nx-api-key:\r\n",
    "key in a header that nobody reads": b"X-Key: KEY\r\n",
    "key without Bearer": b"Authorization: KEY\r\n",
    "key by another scheme": b"Authorization: Basic KEY\r\n",
    "key with a space in it": b"Authorization: Bearer KEY KEY\r\n",
    "key that is cut off": b"Authorization: Bearer sk-\r\n",
    "key with more behind it": b"Authorization: Bearer KEYx\r\n",
    "key in another case": b"Authorization: Bearer UPPER\r\n",
    "key folded over two lines": b"Authorization: Bearer\r\n KEYx\r\n",
    "key of 10 kB": b"Authorization: Bearer " + b"k" * 10_000 + b"\r\n",
    "digest of the key": b"Authorization: Bearer DIGEST\r\n",
    "name of the client": b"Authorization: Bearer default\r\n",
}


@pytest.mark.parametrize("case", WRONG_KEYS)
@pytest.mark.usefixtures("nothing_gets_through")
def test_a_key_that_is_not_right_is_a_401_in_the_words_of_the_api(case: str, key: bytes) -> None:
    digest = run("sh", "-c", 'printf %s "$KEY" | sha256sum | cut -c1-64', KEY=key.decode()).stdout.strip().encode()
    headers = WRONG_KEYS[case].replace(b"KEY", key).replace(b"UPPER", key.upper()).replace(b"DIGEST", digest)
    for api, stream in itertools.product(APIS, (False, True)):
        answer = _request(api, headers, stream=stream)
        assert answer.status == 401, answer.body
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["x-should-retry"] == "false"
        assert "key" in answer.error["message"]
        if api == MESSAGES:
            assert json.loads(answer.body)["type"] == "error"
            assert answer.error["type"] == "authentication_error"
        else:
            assert answer.error["code"] == "invalid_api_key"


RIGHT_KEYS = {
    "as OpenAI's SDK sends it": b"Authorization: Bearer KEY\r\n",
    "as Anthropic's SDK sends it": b"x-api-key: KEY\r\n",
    "as Azure's clients send it": b"api-key: KEY\r\n",
    "in lower case, with two spaces": b"authorization: bearer  KEY\r\n",
    "with spaces around it": b"Authorization:   Bearer KEY  \r\n",
    "with a newline behind it": b"Authorization: Bearer KEY\n",
    "beside a wrong one in the other header": b"Authorization: Bearer sk-wrong\r\nx-api-key: KEY\r\n",
    "beside a wrong one in the other header, the other way": b"x-api-key: sk-wrong\r\nAuthorization: Bearer KEY\r\n",
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("case", RIGHT_KEYS)
def test_the_right_key_is_known_however_a_client_sends_it(case: str, api: str, key: bytes) -> None:
    answer = _request(api, RIGHT_KEYS[case].replace(b"KEY", key))
    assert answer.status == 200, answer.body
    assert b"stub answer" in answer.body


def test_a_refused_key_leaves_one_line_with_the_clients_address_and_no_key(deployed: dict[str, str]) -> None:
    request_id = uuid.uuid4().hex
    headers = b"Authorization: Bearer sk-marked-and-wrong\r\nx-request-id: %s\r\n" % request_id.encode()
    assert _request(CHAT, headers).status == 401
    lines = _logged(request_id)
    assert len(lines) == 1
    assert json.loads(lines[0])["status"] == 401
    assert json.loads(lines[0])["client"] == "127.0.0.1"
    assert "sk-marked-and-wrong" not in lines[0]


def test_an_answered_request_is_logged_under_its_clients_name(key: bytes) -> None:
    request_id = uuid.uuid4().hex
    headers = b"Authorization: Bearer %s\r\nx-request-id: %s\r\n" % (key, request_id.encode())
    assert _request(CHAT, headers).status == 200
    entry = json.loads(_logged(request_id)[0])
    assert (entry["client_name"], entry["pool"]) == ("default", "pool-chat-mini")


def test_litellms_key_stands_in_one_file_of_the_gateways_and_for_its_user_alone(key: bytes) -> None:
    found = run(
        "grep", "--recursive", "--files-with-matches", key.decode(), "/opt/litellm-vibe-router/gateway", check=False
    )
    (path,) = map(Path, found.stdout.split())
    assert path.name == "router_keys.map"
    assert oct(path.stat().st_mode & 0o777) == "0o400"
    assert key.decode() not in run("docker", "inspect", "vibe-gateway").stdout


# Decoded, none of these is a path that clients may request.
ODD_PATHS = (
    "/v1/models/../../ui/",
    "/v1/models/%2e%2e/%2e%2e/ui/",
    "/v1/models/%2E%2E/%2E./ui/",
    "/v1/models/..%2f..%2fui/",
    "/v1/models/..%2F..%2Fui%2F",
    "/v1/models/%252e%252e/%252e%252e/ui/",
    "/v1/models/..;/..;/ui/",
    "/v1/models/./../../routes",
    "/v1/models//../../routes",
    "/v1/models/..",
    "/v1/models/.",
    "//v1/models",
    "/v1//models",
    "/v1/models/..\\..\\ui\\",
    "/v1/models/%5c..%5cui",
    "/v1/responses/../../config/yaml",
    "/v1/responses/%2e%2e/%2e%2e/test",
    "/responses/../ui/",
    "/%75i/",
    "/v1/models%00/../ui/",
    "/.//ui/",
    "/../ui/",
    "/%2e%2e/ui/",
    "/ui",
    "/v1/models/x/../../../routes?x=/v1/models",
    "http://gateway/v1/models/../../ui/",
)


@pytest.mark.parametrize("path", ODD_PATHS)
@pytest.mark.usefixtures("nothing_gets_through")
def test_a_path_is_normalised_before_it_is_compared(path: str, key: bytes) -> None:
    head = b"GET %s HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n"
    answer = _send(head % (path.encode(), key))
    # By the gateway's own text: LiteLLM would also answer 404.
    assert answer.status == 404, answer.body
    assert answer.error["message"].startswith("This path is not served by the gateway. Fix: ")


@pytest.mark.usefixtures("nothing_gets_through")
def test_a_target_that_is_no_path_is_refused_by_the_parser() -> None:
    assert _send(b"GET * HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n").status == 400


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/models/pool-chat-mini", "/v1/models/pool%2Dchat-mini", "/v1%2Fmodels", "/v1/%6dodels"]
)
def test_a_path_that_is_served_is_served_in_each_spelling(path: str, key: bytes) -> None:
    head = b"GET %s HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n"
    answer = _send(head % (path.encode(), key))
    # %6d is neither a dot nor a slash: it is compared unchanged, and refused.
    assert answer.status == (404 if "%6d" in path else 200), answer.body


def _chunks(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _chunked(api: str, key: bytes, prompt: str) -> Answer:
    asked = {"model": "chat-auto", "max_tokens": 16, "messages": [{"role": "user", "content": prompt}], "input": prompt}
    head = (
        b"POST %s HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Type: application/json\r\n" % api.encode()
    )
    head += b"Transfer-Encoding: chunked\r\nAuthorization: Bearer %s\r\n\r\n" % key
    return _send(head, *_chunks(json.dumps(asked).encode(), 60_000))


@pytest.mark.parametrize("api", APIS)
def test_a_body_of_undeclared_length_is_accepted(api: str, key: bytes) -> None:
    answer = _chunked(api, key, "hi")
    assert answer.status == 200, answer.body
    assert b"stub answer" in answer.body


def test_a_body_of_undeclared_length_may_be_large(key: bytes) -> None:
    assert _chunked(CHAT, key, "lorem ipsum " * 500_000).status == 200


@pytest.mark.parametrize("api", APIS)
def test_a_body_that_grows_too_large_is_a_413(api: str, key: bytes) -> None:
    asked = stub_requests()
    answer = _chunked(api, key, "x" * (MAX_BODY_BYTES + 1_000_000))
    assert answer.status == 413, answer.body
    assert f"larger than the {MAX_BODY_BYTES} bytes" in answer.error["message"]
    assert stub_requests() == asked


@pytest.mark.parametrize("api", APIS)
@pytest.mark.usefixtures("nothing_gets_through")
def test_a_body_that_is_declared_too_large_is_a_413_before_it_is_read(api: str, key: bytes) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s\r\n" % (api.encode(), key)
    answer = _send(head + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1))
    assert answer.status == 413, answer.body
    assert f"larger than the {MAX_BODY_BYTES} bytes" in answer.error["message"]


def test_a_body_of_no_known_encoding_is_refused(key: bytes) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s\r\n" % (CHAT.encode(), key)
    answer = _send(head + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\nnonsense")
    assert answer.status == 400
    assert re.search("could not be read|Bad request", answer.body.decode())


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_client_of_http_1_0_gets_no_chunks_and_an_end(key: bytes, *, stream: bool) -> None:
    body = json.dumps({"model": "chat-auto", "stream": stream, "messages": [{"role": "user", "content": "hi"}]})
    head = b"POST %s HTTP/1.0\r\nHost: gateway\r\nConnection: keep-alive\r\nAuthorization: Bearer %s\r\n"
    with socket.create_connection(ADDRESS, timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(head % (CHAT.encode(), key))
        connection.sendall(b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
        connection.sendall(body.encode())
        # An answer with a length keeps the connection open for the next request; one without ends it.
        answer = b""
        while part := connection.recv(65536):
            answer += part
            if not stream and part.endswith(b"}"):
                break
    headers, _, said = answer.partition(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 200"), answer
    assert b"transfer-encoding" not in headers.lower()
    if stream:
        assert b"connection: close" in headers.lower()
        assert all(not line or line.startswith(b"data: ") for line in said.splitlines()), said
        assert said.rstrip().endswith(b"data: [DONE]")
    else:
        assert b"connection: keep-alive" in headers.lower()
        assert json.loads(said)["object"] == "chat.completion"


def test_many_wrong_keys_wait_and_a_right_one_never_does(key: bytes) -> None:
    wrong, right = b"Authorization: Bearer sk-guess\r\n", b"Authorization: Bearer %s\r\n" % key
    for _ in range(WRONG_KEY_BURST):
        _request(CHAT, wrong)
    late = _request(CHAT, wrong)
    assert late.status == 401
    assert "answers to them are delayed" in late.error["message"]
    assert _request(CHAT, right).status == 200


def _are_under_way(number: int) -> bool:
    """Return whether the gateway counts this many requests of the only client."""
    return f" conn_cur={number} " in haproxy("show table clients_seen")


@pytest.fixture
def limited(deployed: dict[str, str]) -> Iterator[None]:
    """The gateway with limits on requests per minute and at a time; afterwards its own are restored."""
    gateway = ("./deploy.sh", "--tags", "gateway")
    limits = {
        "gateway_requests_per_minute": PER_MINUTE,
        "gateway_client_requests_per_minute": PER_MINUTE + 50,
        "gateway_client_requests_at_a_time": AT_A_TIME,
    }
    run(*gateway, "-e", json.dumps(limits))
    yield
    run(*gateway)


@pytest.mark.usefixtures("limited")
def test_a_client_that_asks_too_often_is_told_so_in_the_words_of_the_api(key: bytes) -> None:
    right = b"Authorization: Bearer %s\r\n" % key
    # Each waits for the rest of its body.
    begun = b"POST /v1/messages HTTP/1.1\r\nHost: gateway\r\nContent-Length: 9\r\n%s\r\n{" % right
    with ExitStack() as stack:
        for number in range(1, AT_A_TIME + 1):
            stack.enter_context(socket.create_connection(ADDRESS, 30)).sendall(begun)
            wait_for(partial(_are_under_way, number), 10)
        refused = _request(CHAT, right)
        assert f"may have {AT_A_TIME} requests at a time" in refused.error["message"]
        assert (refused.headers["retry-after"], refused.headers["x-should-retry"]) == ("1", "true")
    wait_for(lambda: _request(CHAT, right).status == 200, 10)
    head = b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n%s\r\n" % right
    answers = [_send(head) for _ in range(PER_MINUTE + 20)]
    assert answers[0].status == 200
    late = [_request(api, right) for api in (CHAT, MESSAGES)]
    assert [answer.status for answer in late] == [429, 429]
    assert late[0].error["code"] == "rate_limit_exceeded"
    assert late[1].error["type"] == "rate_limit_error"
    assert json.loads(late[1].body)["type"] == "error"
    assert all("All clients together may send 200 requests" in answer.error["message"] for answer in late)
    # Refused requests count too, towards this client's limit.
    further = [_send(head) for _ in range(50)][-1]
    assert further.status == 429
    assert "This API key may send 250 requests" in further.error["message"]
    # Clients learn when to retry; those with a wrong key do not.
    assert all((one.headers["retry-after"], one.headers["x-should-retry"]) == ("10", "true") for one in late)
    assert _request(CHAT, b"Authorization: Bearer sk-guess\r\n").headers["x-should-retry"] == "false"
    # A health request needs no client key.
    assert _send(b"GET /health/liveliness HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n").status == 200

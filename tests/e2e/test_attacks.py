"""Attacks on the gateway, as bytes: none gets a request through, and ordinary clients notice nothing."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from e2e.load import traffic_to
from e2e.machine import chat, containers, run

ADDRESS = ("127.0.0.1", 4000)
SECONDS = 5.0
CHAT = "/v1/chat/completions"
SLOW_CONNECTIONS, SLOW_SECONDS = 200, 40.0
# Longer than HAProxy's limit for an unfinished request (timeout http-request).
LONGEST_HEAD_SECONDS = 30.0


def _was_routed(mark: str) -> bool:
    """Return whether a router decided on a request with this id."""
    names = [name for name in containers() if name.startswith("litellm-vibe-router-")]
    logged = [run("docker", "logs", "--since", "60s", name) for name in names]
    return any(f"request_id={mark} " in done.stdout + done.stderr for done in logged)


def _exchange(data: bytes) -> bytes:
    """Send *data* and return all bytes until the gateway closes the connection or falls silent."""
    answer = b""
    with socket.create_connection(ADDRESS, timeout=SECONDS) as connection:
        connection.sendall(data)
        try:
            while part := connection.recv(65536):
                answer += part
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


def _hidden(mark: str) -> bytes:
    """Return a request without a key that an attacker would smuggle past the gateway."""
    body = json.dumps({"model": "chat-auto", "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: gateway\r\nX-Request-Id: {mark}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


# Name -> headers of the outer request, which has the right key and the length in {length}; its body is an end of chunks
# and a hidden request, or the hidden request alone.
SMUGGLED = {
    "length and chunks": (b"Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "chunks and length": (b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n"),
    "chunks that are none": (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "chunks after a space": (b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "chunks on a folded line": (b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
    "chunks twice": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "chunks behind a vertical tab": (b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
    "two lengths": (b"Content-Length: 5\r\nContent-Length: {length}\r\n", b'{"a":'),
    "a list of lengths": (b"Content-Length: 5, {length}\r\n", b'{"a":'),
    "a length with a sign": (b"Content-Length: +5\r\n", b'{"a":'),
    "a negative length": (b"Content-Length: -1\r\n", b""),
    "a length in hexadecimal": (b"Content-Length: 0x5\r\n", b'{"a":'),
    "a length that overflows": (b"Content-Length: 18446744073709551621\r\n", b'{"a":'),
    "a length on a bare line feed": (b"X: y\nContent-Length: 5\r\n", b'{"a":'),
    "a key that holds a line": (b"X-Other: a\rContent-Length: 5\r\nContent-Length: 5\r\n", b'{"a":'),
    "a null in a name": (b"Content\x00-Length: 5\r\n", b'{"a":'),
    "a chunk that overflows": (b"Transfer-Encoding: chunked\r\n", b"FFFFFFFFFFFFFFFF0\r\n\r\n"),
    "a chunk with a sign": (b"Transfer-Encoding: chunked\r\n", b"-0\r\n\r\n"),
    "an upgrade that is none": (b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", b""),
}


def test_a_request_behind_another_with_a_key_of_its_own_is_seen(deployed: dict[str, str]) -> None:
    # The test's own search works.
    mark = f"pipelined-{uuid.uuid4().hex}"
    key = f"Authorization: Bearer {deployed['OPENAI_API_KEY']}\r\n".encode()
    outer = b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\n" + key + b"\r\n"
    answer = _exchange(outer + _hidden(mark).replace(b"Host: gateway\r\n", b"Host: gateway\r\n" + key))
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert _was_routed(mark)


@pytest.mark.parametrize("case", SMUGGLED)
def test_a_request_behind_another_is_not_served_without_a_key_of_its_own(case: str, deployed: dict[str, str]) -> None:
    headers, before = SMUGGLED[case]
    mark = f"smuggled-{uuid.uuid4().hex}"
    body = before + _hidden(mark)
    head = f"POST {CHAT} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {deployed['OPENAI_API_KEY']}\r\n".encode()
    answer = _exchange(head + headers.replace(b"{length}", str(len(body)).encode()) + b"\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 ") or answer == b""
    assert b" 200 " not in answer.partition(b"\r\n")[0], "the outer request is none that can be answered"
    assert b"stub answer" not in answer
    assert not _was_routed(mark)


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://127.0.0.1:4101/ui HTTP/1.1",
        b"CONNECT 127.0.0.1:6379 HTTP/1.1",
        b"TRACE / HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET /v1/models HTTP/0.9",
        b"GET /v1/models",
        b"GET /v1/models\tHTTP/1.1",
        b"G\x00T /v1/models HTTP/1.1",
        b"GET /v1/models#/../ui HTTP/1.1",
        b"OPTIONS /ui HTTP/1.1",
    ],
)
def test_a_first_line_that_is_odd_gets_no_answer_of_the_routers(line: bytes, deployed: dict[str, str]) -> None:
    answer = _exchange(line + b"\r\nHost: gateway\r\nConnection: close\r\n\r\n")
    assert answer == b"" or int(answer.split()[1]) in {400, 401, 403, 404, 405, 501, 505}, answer[:300]
    assert b"litellm" not in answer.lower()


@pytest.mark.parametrize(
    "headers",
    [b"X-Long: " + b"a" * 70_000, b"\r\n".join(b"X-%d: a" % n for n in range(500)), b"Cookie: " + b"k=v;" * 20_000],
    ids=["one long header", "many headers", "a long cookie"],
)
def test_headers_without_bounds_are_refused(headers: bytes, deployed: dict[str, str]) -> None:
    key = f"Authorization: Bearer {deployed['OPENAI_API_KEY']}".encode()
    answer = _exchange(b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\n" + key + b"\r\n" + headers + b"\r\n\r\n")
    assert answer == b"" or int(answer.split()[1]) in {400, 431}, answer[:300]
    assert chat(deployed, "hi").status_code == 200


@contextmanager
def _slow_connections(head: bytes) -> Iterator[list[socket.socket]]:
    """Open many connections that sent *head* and then send a byte now and then until the block ends."""
    done = threading.Event()
    with ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(ADDRESS, 30)) for _ in range(SLOW_CONNECTIONS)]
        for connection in connections:
            connection.sendall(head)

        def dribble() -> None:
            while not done.wait(2.0):
                for connection in connections:
                    try:
                        connection.sendall(b"a")
                    except OSError:
                        # Closed by the gateway, as it should be.
                        continue

        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            yield connections
        finally:
            done.set()
            thread.join()


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.2)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["head", "body"])
def test_slow_connections_are_nothing_to_others(kind: str, deployed: dict[str, str]) -> None:
    key = f"Authorization: Bearer {deployed['OPENAI_API_KEY']}"
    head = f"POST {CHAT} HTTP/1.1\r\nHost: gateway\r\nX-Slow: "
    if kind == "body":
        head = f"POST {CHAT} HTTP/1.1\r\nHost: gateway\r\n{key}\r\nContent-Length: 100000\r\n\r\n{{"
    with traffic_to(deployed) as traffic, _slow_connections(head.encode()) as connections:
        time.sleep(SLOW_SECONDS if kind == "head" else SLOW_SECONDS / 2)
        closed = sum(map(_is_closed, connections)) if kind == "head" else 0
    assert traffic.failed == [], traffic.story()
    assert traffic.sent > 0
    if kind == "head":
        assert closed == SLOW_CONNECTIONS, f"heads that take longer than {LONGEST_HEAD_SECONDS:g} s are given up"

"""Steady traffic through a gateway during an event: every request is counted, and each failure reported."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field

import httpx

# Requests per second; one in three is a stream of some seconds.
RATE = 6.0
STREAM_EVERY = 3
WHOLE = "hi"
# 4 s. Chunks cost more than the time between them: at 30 requests/s ten a second each would keep two cores busy alone.
STREAM = "Tell a long story. [[stub:chunks=10,interval=0.4]]"
# A request that takes longer counts as lost: the slowest stream takes about 5 s.
REQUEST_SECONDS = 60.0
LONGEST_SECONDS = 900.0
# Number of the first, and of the last, failures to show.
TOLD = 10
# A client looks at all of its connections for each request that waits: with one, a moment of slow answers at 50
# requests/s keeps a processor busy with nothing else, for ever (seen with httpcore 1.0).
CLIENTS = 32


@dataclass
class Traffic:
    """The results of the requests."""

    sent: int = 0
    streamed: int = 0
    under_way: int = 0
    failed: list[str] = field(default_factory=list)
    # When each of them ended, by time.monotonic().
    failed_at: list[float] = field(default_factory=list)
    # The longest time to the first byte, in seconds, of the requests of each ten seconds; a missing answer counts too.
    slowest: dict[int, float] = field(default_factory=dict)

    def lose(self, what: str) -> None:
        """Record a request with a wrong answer or none."""
        self.failed.append(what)
        self.failed_at.append(time.monotonic())

    def waited(self, begun: float, seconds: float) -> None:
        """Record the time to the first byte of a request that started *begun* seconds after the first."""
        ten = int(begun // 10) * 10
        self.slowest[ten] = max(seconds, self.slowest.get(ten, 0.0))

    def story(self) -> str:
        """Describe the first and last failures, and the slowest answers: an overloaded machine is slow first."""
        slow = ", ".join(f"{ten} s: {seconds:.1f}" for ten, seconds in sorted(self.slowest.items()))
        told = self.failed if len(self.failed) <= 2 * TOLD else [*self.failed[:TOLD], "...", *self.failed[-TOLD:]]
        return "\n".join([f"{len(self.failed)} of {self.sent} lost; slowest first bytes, s, by begin: {slow}", *told])


def trusted(settings: dict[str, str]) -> ssl.SSLContext:
    """Return the TLS verification of a client with these *settings*."""
    return ssl.create_default_context(cafile=settings.get("VIBE_CA_FILE"))


async def _send(client: httpx.AsyncClient, stream: bool, traffic: Traffic, begun: float) -> None:
    body = {
        "model": "chat-auto",
        "messages": [{"role": "user", "content": STREAM if stream else WHOLE}],
        "stream": stream,
    }
    sent = time.monotonic()
    at = f"after {sent - begun:.1f} s"
    traffic.under_way += 1
    try:
        async with client.stream("POST", "/chat/completions", json=body) as answer:
            traffic.waited(sent - begun, time.monotonic() - sent)
            text = "".join([part async for part in answer.aiter_text()])
        if answer.status_code != 200:
            traffic.lose(f"{at}: {answer.status_code} {text[:200]}")
        elif stream and not text.rstrip().endswith("[DONE]"):
            traffic.lose(f"{at}: the stream was cut: {text[-200:]!r}")
    except httpx.HTTPError as error:
        traffic.waited(sent - begun, time.monotonic() - sent)
        traffic.lose(f"{at}: {error!r}")
    finally:
        traffic.under_way -= 1


async def _keep_sending(
    settings: dict[str, str], rate: float, stream_every: int, longest: float, traffic: Traffic, done: threading.Event
) -> None:
    headers = {"Authorization": f"Bearer {settings['OPENAI_API_KEY']}"}
    limits, context = httpx.Limits(max_connections=None), trusted(settings)
    begun = time.monotonic()
    running: set[asyncio.Task[None]] = set()
    async with AsyncExitStack() as stack:
        made = (
            httpx.AsyncClient(
                base_url=settings["OPENAI_BASE_URL"],
                headers=headers,
                timeout=REQUEST_SECONDS,
                limits=limits,
                verify=context,
            )
            for _ in range(CLIENTS)
        )
        clients = [await stack.enter_async_context(client) for client in made]
        while not done.is_set() and time.monotonic() - begun < longest:
            stream = traffic.sent % stream_every == 0
            task = asyncio.create_task(_send(clients[traffic.sent % CLIENTS], stream, traffic, begun))
            running.add(task)
            task.add_done_callback(running.discard)
            traffic.sent += 1
            traffic.streamed += stream
            # By the clock, so that the rate recovers after a slow moment.
            await asyncio.sleep(max(0.0, begun + traffic.sent / rate - time.monotonic()))
        await asyncio.gather(*running)


@contextmanager
def traffic_to(
    settings: dict[str, str], rate: float = RATE, stream_every: int = STREAM_EVERY, longest: float = LONGEST_SECONDS
) -> Iterator[Traffic]:
    """Send requests at *rate* a second until the block ends; what is under way then is waited for.

    Args:
        settings: the client's settings, as `./deploy.sh env` prints them.
        rate: requests per second, regardless of how long answers take.
        stream_every: one request in this many is a stream of some seconds.
        longest: seconds after which no more requests are sent.

    Yields: the results of the requests, complete when the block has ended.
    """
    traffic, done = Traffic(), threading.Event()
    sending = (settings, rate, stream_every, longest, traffic, done)
    thread = threading.Thread(target=lambda: asyncio.run(_keep_sending(*sending)))
    thread.start()
    try:
        yield traffic
    finally:
        done.set()
        thread.join()

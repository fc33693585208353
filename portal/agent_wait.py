"""Nodes that wait for their next document: on the event loop, all of a process with one connection to Redis.

Views are synchronous, and Django keeps a thread for each request: whatever waits inside one keeps it. So the view
answers at once, says in a header which node waits and how long, and is asked again when that node's document changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from provisioning.services.node_sections import node_channel

logger = logging.getLogger(__name__)

DOCUMENT_PATH = "/agent/v1/document/"
WAIT_HEADER = "Causeway-Wait"
"""``{node} {seconds}`` on an answer without a document; it does not leave the process."""
LISTEN_AGAIN_SECONDS = 2.0
"""While Redis is away, every node that waits looks so often."""

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]


class Answer(NamedTuple):
    """The messages of an answer; ``node`` waits ``seconds`` for another one, or 0."""

    messages: list[Message]
    node: int = 0
    seconds: float = 0.0


class DocumentWait:
    """ASGI middleware around the portal; requests for anything but a document pass."""

    def __init__(self, app: AsgiApp) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] != DOCUMENT_PATH:
            await self.app(scope, receive, send)
            return
        answer = await self._ask(scope)
        if answer.seconds:
            answer = await self._wait(scope, receive, answer)
        for message in answer.messages:
            await send(message)

    async def _ask(self, scope: Message) -> Answer:
        messages: list[Message] = []
        body = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            return body.pop() if body else await asyncio.Future[Message]()

        async def send(message: Message) -> None:
            messages.append(message)

        await self.app(dict(scope), receive, send)
        headers = {name.decode("latin1").lower(): value for name, value in messages[0].get("headers", ())}
        wait = headers.pop(WAIT_HEADER.lower(), b"")
        if not wait:
            return Answer(messages)
        messages[0]["headers"] = [
            (name, value) for name, value in messages[0]["headers"] if name.lower() != WAIT_HEADER.lower().encode()
        ]
        node, seconds = wait.split()
        return Answer(messages, int(node), float(seconds))

    async def _wait(self, scope: Message, receive: Receive, answer: Answer) -> Answer:
        """Return the answer when there is a document, the time is over or the node has gone."""
        deadline = asyncio.get_running_loop().time() + answer.seconds
        with _changes_of(answer.node) as changed:
            gone = asyncio.create_task(_set_when_gone(receive, changed))
            try:
                while answer.seconds:
                    async with asyncio.timeout_at(deadline):
                        await changed.wait()
                    if gone.done():
                        break
                    changed.clear()
                    answer = await self._ask(scope)
            except TimeoutError:
                pass
            finally:
                gone.cancel()
        return answer


async def _set_when_gone(receive: Receive, event: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    event.set()


class _Listener:
    """Hears of changed documents from the first node that waits in this process to the last one."""

    def __init__(self) -> None:
        self.waiting: dict[int, set[asyncio.Event]] = defaultdict(set)
        self.is_subscribed = False
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            try:
                async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
                    await subscription.psubscribe(node_channel("*"))
                    async for message in subscription.listen():
                        self._hear(message)
            except (RedisError, OSError) as error:
                logger.warning("nodes wait without Redis: %s", error)
            self.is_subscribed = False
            self._wake_all()
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "psubscribe":
            # Whatever changed before now was not heard.
            self.is_subscribed = True
            self._wake_all()
        else:
            for event in self.waiting.get(int(message["channel"].rpartition(b":")[2]), ()):
                event.set()

    def _wake_all(self) -> None:
        for events in self.waiting.values():
            for event in events:
                event.set()


_listeners: dict[asyncio.AbstractEventLoop, _Listener] = {}


@contextmanager
def _changes_of(node: int) -> Iterator[asyncio.Event]:
    """Give an event that is set whenever the node's document may have changed, also before it was listened to."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    listener = _listeners.get(loop) or _listeners.setdefault(loop, _Listener())
    listener.waiting[node].add(event)
    if listener.is_subscribed:
        event.set()
    try:
        yield event
    finally:
        listener.waiting[node].discard(event)
        if not listener.waiting[node]:
            del listener.waiting[node]
        if not listener.waiting:
            del _listeners[loop]
            listener.task.cancel()

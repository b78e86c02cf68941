"""Limits on what is read of a request, before any route sees it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from api.exchange.strict_json import MEBIBYTE
from api.http.problems import problem

STREAMED: Final = frozenset({"/v1/signals/batch"})
"""Paths whose bodies are read line by line, each line with the limit of a signal."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class BodyLimit:
    """ASGI middleware: of a body of more than one MiB no more is read, and a compressed one is not read at all."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on whose body is small enough, or is streamed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if dict(scope["headers"]).get(b"content-encoding", b"identity") != b"identity":
            await problem(415, "media-type", "send the body as it is, not compressed")(scope, receive, send)
            return
        if scope["path"] in STREAMED:
            await self._app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MEBIBYTE:
                await problem(413, "too-large", "a request may have at most one MiB")(scope, receive, send)
                return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, replay, send)

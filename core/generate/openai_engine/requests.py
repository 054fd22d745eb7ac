"""One request to the model behind a server, asked until it is answered or has failed for good."""

import json
import re
from collections.abc import Mapping
from typing import Any

from core.generate.decoding import Decoding
from core.generate.engine import Chat, Failed, Generation, Request
from core.generate.openai_engine.options import options
from core.generate.openai_engine.server import Server
from core.generate.openai_engine.shares import Shares
from core.llm.answers import Reply, RequestFailed, RequestRefused
from core.llm.client import TOKEN_LIMIT_OPTIONS, Client
from core.llm.limits import FailureStreak, RetryingSender
from core.llm.prices import about_tokens
from store import XlitError
from store.queries.responses import text_digest


class Requests:
    """The requests of one engine, `concurrency` at a time; all in one event loop."""

    def __init__(self, client: Client, decoding: Decoding, server: Server, concurrency: int) -> None:
        self._client, self._decoding, self._server = client, decoding, server
        self._retrying, self._giving_up = RetryingSender(concurrency), FailureStreak(client.shown)
        self._shares = Shares()
        # vLLM refuses to write more than the context holds; all others cut it there.
        self._most = min(decoding.max_new_tokens, (server.context_length or 2**31) - 1)
        self._limit = 0
        self._proven = False
        self._over: XlitError | None = None

    def start(self) -> None:
        """Patience with a busy server begins now."""
        self._retrying.start()
        self._over = None

    async def answer(self, request: Request) -> Generation | Failed:
        """What the server answers. Raises `XlitError` when no other request would do better; none is sent
        then that was to be."""
        try:
            return await self._answer(request)
        except XlitError as error:
            self._over = error
            raise

    async def _answer(self, request: Request) -> Generation | Failed:
        ticket: float | None = None
        seconds = 0.0

        async def send() -> tuple[Reply, Mapping[str, str]]:
            nonlocal ticket
            if self._over is not None:
                raise self._over
            if ticket is None:
                ticket = self._shares.begin()
            return await self._send(request)

        tokens = about_tokens(_canonical(request.chat)) + self._most
        try:
            reply = await self._retrying.ask(send, tokens)
        except RequestFailed as error:
            self._giving_up.failed(error)
            return Failed(str(error))
        finally:
            if ticket is not None:
                seconds = self._shares.end(ticket)
        self._giving_up.answered()
        if reply.finish_reason == "content_filter":
            return Failed("the server's content filter held the answer back")
        return Generation(
            text=reply.text or reply.refusal or "",
            finish_reason=reply.finish_reason,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            seconds=seconds,
            prompt_digest=text_digest(_canonical(request.chat)),
        )

    async def _send(self, request: Request) -> tuple[Reply, Mapping[str, str]]:
        decoded = options(self._decoding, self._server, request.seed)
        limit = self._limit
        while True:
            try:
                asked = decoded | {TOKEN_LIMIT_OPTIONS[limit]: self._most}
                reply = await self._client.post(request.chat, asked)
            except RequestRefused as error:
                if self._proven:
                    raise
                if TOKEN_LIMIT_OPTIONS[limit] in error.said and limit + 1 < len(TOKEN_LIMIT_OPTIONS):
                    limit += 1
                    continue
                if named := _named(decoded, error.said):
                    shown = self._client.shown
                    raise XlitError(f"{shown} does not take the decoding ({named}): {error}.") from None
                raise
            self._limit, self._proven = limit, True
            return reply


def _named(decoded: dict[str, Any], said: str) -> str | None:
    """The option that a server says something of."""
    return next((name for name in decoded if re.search(rf"\b{name}\b", said)), None)


def _canonical(chat: Chat) -> str:
    """The messages as JSON, always the same for the same messages."""
    return json.dumps(chat, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

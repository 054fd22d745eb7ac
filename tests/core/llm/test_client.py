"""One request: how long it may take, how long its answer may be, and what is asked beside it."""

import asyncio
import socket
import threading
import time

import pytest

from core.llm.answers import NotOnServer, ServerBusy
from core.llm.client import Client
from store import UsageError, XlitError
from tests.core.llm.chat_server import Answer, error

pytestmark = pytest.mark.parts


def dripping(seconds: float) -> str:
    """The address of a server that sends a byte now and then, without end."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        connection.recv(10_000)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
        try:
            connection.sendall(head)
            while True:
                connection.sendall(b" ")
                time.sleep(seconds)
        except OSError:
            listening.close()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


async def test_the_time_out_is_for_the_whole_request_and_not_for_each_byte():
    async with Client("m", dripping(0.05), timeout=0.4) as client:
        with pytest.raises(ServerBusy, match=r"no answer within 0\.4 s"):
            await asyncio.wait_for(client.post([], {}), 20)


async def test_an_answer_may_be_as_long_as_is_said(serve):
    server = serve(Answer("x" * 3000))
    async with Client("m", server.url, most_bytes=4000) as client:
        reply, _ = await client.post([], {})
        assert len(reply.text) == 3000
    async with Client("m", server.url, most_bytes=2000) as client:
        with pytest.raises(ServerBusy, match="longer than 2000 bytes"):
            await client.post([], {})


async def test_a_content_that_is_no_text_is_no_answer(serve):
    for content in ({"text": "x"}, ["x"], 7, True):
        server = serve(Answer(body={"choices": [{"message": {"content": content}}]}))
        async with Client("m", server.url) as client:
            with pytest.raises(ServerBusy, match="a content that is no text"):
                await client.post([], {})


async def test_pages_beside_the_api_are_read_with_the_key(serve, monkeypatch):
    monkeypatch.setenv("XLIT_API_KEY", "k")
    pages = {"/props": Answer(body={"n": 1}), "/html": Answer(body="<html>"), "/broken": Answer(status=500)}
    server = serve(Answer(), pages=pages)
    async with Client("m", server.url) as client:
        assert await client.page("/props") == {"n": 1}
        assert [await client.page(path) for path in ("/html", "/broken", "/none")] == [None] * 3
    server.close()
    async with Client("m", server.url) as client:
        assert await client.page("/props") is None


async def test_a_server_without_a_list_of_models_says_so(serve):
    server = serve(Answer())
    async with Client("m", server.url) as client:
        with pytest.raises(NotOnServer):
            await client.models()
    server.pages["/v1/models"] = error(401)
    async with Client("m", server.url) as client:
        with pytest.raises(XlitError, match="refused the key"):
            await client.models()


async def test_a_server_that_is_not_there_is_said_at_once():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with Client("m", f"http://127.0.0.1:{port}/v1") as client:
        with pytest.raises(XlitError, match="can't be reached"):
            await client.post([], {})


@pytest.mark.parametrize(
    "address", ["localhost:8000/v1", "http:///v1", "http://u:p@h/v1", "http://h/v1?key=x"]
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(address):
    with pytest.raises(UsageError) as caught:
        Client("m", address)
    assert "p@h" not in str(caught.value)
    assert "key=x" not in str(caught.value)


async def test_prompts_follow_no_redirect(serve, monkeypatch):
    monkeypatch.setenv("XLIT_API_KEY", "k")
    other = serve(Answer("taken"))
    server = serve(Answer("", status=307, headers={"Location": f"{other.url}/chat/completions?password=p"}))
    async with Client("m", server.url) as client:
        with pytest.raises(
            XlitError, match=r"sends requests on to http://127\.0\.0\.1.* not followed"
        ) as caught:
            await client.post([{"role": "user", "content": "private"}], {})
        assert await client.page("/none") is None
    assert other.requests == []
    assert "password" not in str(caught.value)

"""A real HTTP server on a real socket that speaks chat/completions as it is told to."""

import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Answer:
    """One HTTP answer: of a model that says `content`, or `body` as it is; `cut`: only so many bytes of it,
    and the connection is closed."""

    def __init__(
        self, content: str | None = "Good.", *, status: int = 200, body: Any = None, finish: str = "stop",
        refusal: str | None = None, delay: float = 0, headers: dict[str, str] | None = None,
        cut: int | None = None,
    ) -> None:  # fmt: skip
        self.status, self.delay, self.headers, self.cut = status, delay, headers or {}, cut
        if body is None and status == 200:
            message = {"role": "assistant", "content": content, "refusal": refusal}
            body = {
                "id": "1", "object": "chat.completion", "created": 1, "model": "judge",
                "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            }  # fmt: skip
        self.body = body if isinstance(body, str) else json.dumps(body)


def error(status: int, message: str = "out of order", code: str | None = None) -> Answer:
    """An error as OpenAI's servers send it; the client is told to wait 1 ms where it may ask again."""
    body = {"error": {"message": message, "type": "error", "code": code}}
    return Answer(status=status, body=body, headers={"retry-after-ms": "1"})


class ChatServer:
    """`script` answers a request's JSON and its number (from 0); `requests` and `headers` are what came.
    `pages` are answers to GET by path, `gone` counts the clients that did not wait for theirs."""

    def __init__(
        self, script: Callable[[dict[str, Any], int], Answer], pages: dict[str, Answer] | None = None
    ) -> None:
        self.script, self.pages = script, pages or {}
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_a_time = self._now = self.gone = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

            def do_POST(self) -> None:
                try:
                    request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                except ValueError:  # the client was killed half-way
                    self.close_connection = True
                    return
                answer = outer.begin(request, {name.lower(): value for name, value in self.headers.items()})
                time.sleep(answer.delay)
                outer.end(self._gone())
                self._send(answer)

            def do_GET(self) -> None:
                self._send(outer.pages.get(self.path, Answer(status=404, body="no such page")))

            def _gone(self) -> bool:
                try:
                    return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
                except OSError as error:
                    return not isinstance(error, BlockingIOError)

            def _send(self, answer: Answer) -> None:
                data = answer.body.encode()
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data[: answer.cut])
                    if answer.cut is not None:
                        self.wfile.flush()
                        self.connection.shutdown(socket.SHUT_RDWR)
                        self.close_connection = True
                except OSError:  # the client did not wait
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def begin(self, request: dict[str, Any], headers: dict[str, str]) -> Answer:
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.headers.append(headers)
            self._now += 1
            self.most_at_a_time = max(self.most_at_a_time, self._now)
        return self.script(request, number)

    def end(self, gone: bool) -> None:
        with self._lock:
            self._now -= 1
            self.gone += gone

    @property
    def prompts(self) -> list[str]:
        return [request["messages"][0]["content"] for request in self.requests]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

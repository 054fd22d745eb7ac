"""A real HTTP server on a real socket with files and batches, as OpenAI's Batch API has them.

It remembers what it was asked, and fails as it is told to.
"""

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAMES = ("language", "fluency", "helpfulness", "accuracy", "logic", "harmlessness")


def stars(prompt: str, times: int = 1) -> str:
    """What a judge says of a response: other stars for each, always the same."""
    digest = hashlib.sha256(prompt.partition("=== RESPONSE")[2].partition("=== END")[0].encode()).digest()
    return json.dumps({name: digest[place] % 3 + 1 for place, name in enumerate(NAMES)})


def completion(content: Any, *, finish: str = "stop", tokens: tuple[int, int] | None = (100, 20)) -> dict:
    """The body of a chat completion."""
    message = {"role": "assistant", "content": content, "refusal": None}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]} if tokens else None
    return {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage}


def answer_line(digest: str, body: Any, *, status: int = 200) -> dict:
    """A line of an output file."""
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": f"batch_req_{digest[:8]}", "custom_id": digest, "response": response, "error": None}


class BatchServer:
    """`answer(prompt, times)` is the content that the judge gives to a prompt which it is asked for the
    so-many-th time, from 1, or a whole line.

    Scripts: `lines(batch, lines)` changes the lines of the output file (any may be bytes); `ends(batch)` is
    the status in which a batch ends; `room`: tokens (as words) that may wait, else a batch is refused.
    `before` and `after` are called with (method, path without ids, count) of each request, before it is
    carried out and before it is answered: they say `cut` to have the connection cut, `garbage` for an
    answer that is none, or a number for that status instead. `steps`: how often a batch is looked at before
    it ends.
    """

    def __init__(self, answer: Callable[[str, int], Any]) -> None:
        self.answer = answer
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, list[dict[str, Any]]] = {}
        self.calls: Counter[tuple[str, str]] = Counter()
        self.asked: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.deleted: list[str] = []
        self.page = 100
        self.steps = 1
        self.room: int | None = None
        self.lines: Callable[[dict, list], list] = lambda batch, lines: lines
        self.ends: Callable[[dict], str] = lambda batch: "completed"
        self.before: Callable[[str, str, int], Any] = lambda method, path, count: None
        self.after: Callable[[str, str, int], Any] = lambda method, path, count: None
        self._lock = threading.RLock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

            def handle_any(self) -> None:
                body = b""
                try:
                    if self.headers.get("Transfer-Encoding") == "chunked":
                        while size := int(self.rfile.readline(), 16):
                            body += self.rfile.read(size)
                            self.rfile.readline()
                        self.rfile.readline()
                    else:
                        length = int(self.headers.get("Content-Length") or 0)
                        body = self.rfile.read(length)
                        if len(body) < length:
                            raise ValueError
                    status, content = outer.handle(self, body)
                except (ValueError, OSError):  # the client was killed half-way
                    self.close_connection = True
                    return
                if status == "garbage":
                    status, content = 200, b"<html>busy</html>"
                if status == "cut":
                    self.close_connection = True
                    return
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                try:
                    self.send_response(int(status))
                    self.send_header("Content-Length", str(len(data)))
                    if int(status) in (429, 503):
                        self.send_header("retry-after-ms", "1")
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = do_DELETE = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def created(self) -> Counter[str]:
        """In how many batches that were made (and not refused) each question was, by its digest."""
        return Counter(line["custom_id"] for lines in self.inputs.values() for line in lines)

    @property
    def prompts(self) -> list[str]:
        """Every prompt of every batch that was made, in order."""
        return [line["body"]["messages"][0]["content"] for lines in self.inputs.values() for line in lines]

    def handle(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[Any, Any]:
        path, _, query = request.path.removeprefix("/v1").partition("?")
        kind = re.sub(r"/(file|batch)-\w+", "/ID", path)
        with self._lock:
            self.calls[request.command, kind] += 1
            count = self.calls[request.command, kind]
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            early = self.before(request.command, kind, count)
            if early is not None:
                return early, {"error": {"message": f"status {early}", "code": None}}
            status, content = self._carry_out(request.command, kind, path, query, body)
            late = self.after(request.command, kind, count)
            if late is not None:
                return late, {"error": {"message": f"status {late}", "code": None}}
            return status, content

    def _carry_out(self, method: str, kind: str, path: str, query: str, body: bytes) -> tuple[Any, Any]:
        name = next(iter(re.findall(r"(?:file|batch)-\w+", path)), "")
        match method, kind:
            case "POST", "/files":
                assert b'name="purpose"\r\n\r\nbatch\r\n' in body
                start = body.index(b"\r\n\r\n", body.index(b'filename="')) + 4
                name = f"file-{self.calls[method, kind]}in"
                self.files[name] = body[start : body.rindex(b"\r\n--")]
                return 200, {"id": name, "object": "file", "purpose": "batch"}
            case "POST", "/batches":
                return 200, self._create(json.loads(body))
            case "GET", "/batches":
                return 200, self._page(query)
            case "GET", "/batches/ID" if name in self.batches:
                return 200, self._advance(self.batches[name])
            case "POST", "/batches/ID/cancel" if name in self.batches:
                self.batches[name]["status"] = "cancelled"
                return 200, self.batches[name]
            case "GET", "/files/ID/content" if name in self.files:
                return 200, self.files[name]
            case "DELETE", "/files/ID" if name in self.files:
                del self.files[name]
                self.deleted.append(name)
                return 200, {"id": name, "deleted": True}
        return 404, {"error": {"message": "not found", "code": None}}

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["endpoint"] == "/v1/chat/completions"
        assert asked["completion_window"] == "24h"
        name = f"batch-{len(self.batches)}"
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].split(b"\n") if line]
        batch = {
            "id": name, "object": "batch", "status": "validating", "input_file_id": asked["input_file_id"],
            "metadata": asked["metadata"], "created_at": len(self.batches), "errors": None, "looked": 0,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }  # fmt: skip
        self.batches[name] = batch
        waiting = sum(
            len(self.inputs[other]) for other in self.inputs
            if self.batches[other]["status"] in ("validating", "in_progress")
        )  # fmt: skip
        batch["full"] = self.room is not None and waiting + len(lines) > self.room
        if not batch["full"]:
            self.inputs[name] = lines
        return batch

    def _page(self, query: str) -> dict[str, Any]:
        newest = list(self.batches.values())[::-1]
        after = re.search(r"after=(batch-\w+)", query)
        if after:
            newest = newest[[found["id"] for found in newest].index(after[1]) + 1 :]
        return {"object": "list", "data": newest[: self.page], "has_more": len(newest) > self.page}

    def _advance(self, batch: dict[str, Any]) -> dict[str, Any]:
        if batch["status"] not in ("validating", "in_progress"):
            return batch
        batch["looked"] += 1
        if batch["full"]:
            code = {"code": "token_limit_exceeded", "message": "too many tokens are queued", "line": None}
            batch |= {"status": "failed", "errors": {"object": "list", "data": [code]}}
            return batch
        if batch["looked"] <= self.steps:
            batch["status"] = "in_progress"
            return batch
        status = self.ends(batch)
        batch["status"] = status
        if status == "failed":
            return batch
        found: list[Any] = []
        for line in self.inputs[batch["id"]]:
            prompt = line["body"]["messages"][0]["content"]
            self.asked[line["custom_id"]] += 1
            said = self.answer(prompt, self.asked[line["custom_id"]])
            if isinstance(said, dict) and "custom_id" in said:
                found.append(said | {"custom_id": line["custom_id"]})
            else:
                found.append(answer_line(line["custom_id"], completion(said)))
        batch["request_counts"]["completed"] = len(found)
        found = self.lines(batch, found)
        parts: dict[str, list[Any]] = {"output_file_id": [], "error_file_id": []}
        for one in found:
            response = one.get("response") if isinstance(one, dict) else {"status_code": 200}
            good = isinstance(response, dict) and response.get("status_code") == 200
            parts["output_file_id" if good else "error_file_id"].append(one)
        for key, some in parts.items():
            if some:
                name = f"file-{batch['id'].partition('-')[2]}{key[:3]}"
                self.files[name] = b"\n".join(
                    one if isinstance(one, bytes) else json.dumps(one).encode() for one in some
                )
                batch[key] = name
        return batch

"""Small data files for the tests of instruction data."""

import json
from pathlib import Path
from typing import Any


def jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def chat(question: str, answer: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": messages, **more}


def chats(count: int, language: str = "en") -> list[dict[str, Any]]:
    return [
        chat(f"{language} question {number}", f"answer {number}", id=f"r{number}") for number in range(count)
    ]

"""Our share of responses in the right language beside line-level identification by plain fastText calls."""

# ruff: noqa: T201 - what is printed is the result
import argparse
import contextlib
import sqlite3
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import fasttext
from surface import build, quietly

from core.judge.surface.language import LanguageIdentifier, find_model, prepared_line
from core.text.prose import blank_code
from store.languages import normal_language

SAME = "same label, same probability"


@dataclass
class Shares:
    """Counts over the responses of a model in a language."""

    responses: int = 0
    right: int = 0
    passed: int = 0
    lines: int = 0
    right_lines: int = 0


class Comparison:
    """Ours and a plain call with the same model, on the same texts."""

    def __init__(self) -> None:
        self._ours = LanguageIdentifier()
        self._plain = fasttext.load_model(str(find_model()))

    def labels(self, text: str, seen: Counter[str]) -> tuple[str | None, str]:
        """Our label and the plain one. Counts in `seen` whether they are the same, and else why not."""
        line = " ".join(text.split())
        labels, probabilities = self._plain.predict(line)
        plain, probability = normal_language(labels[0].removeprefix("__label__")), float(probabilities[0])
        found = self._ours.identify(text)
        if found.label is None:
            seen[f"no label of ours: {found.reason}"] += 1
        elif (found.label, found.probability) == (plain, min(probability, 1.0)):
            seen[SAME] += 1
        else:
            same = "same label, another probability" if found.label == plain else "another label"
            seen[f"{same}: {_prepared(text, line)}"] += 1
        return found.label, plain


def _prepared(text: str, line: str) -> str:
    """What our preparation does to a text beyond making it a line."""
    prose = " ".join(blank_code(text).split())
    done = [
        name
        for name, so in (
            ("code, addresses or markup left out", blank_code(text) != text and prose != line),
            ("capitals put in small letters", prepared_line(blank_code(text)) != prose),
        )
        if so
    ]
    return " and ".join(done) or "UNEXPLAINED"


def main() -> None:
    """Identify every response and every line of it, and print the shares and how far both agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the Language Confusion Benchmark")
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "responses.db"
        quietly(lambda: build(store, data, 0))
        with contextlib.closing(sqlite3.connect(store)) as connection:
            rows = connection.execute(
                "SELECT model.name, language, response.text FROM response JOIN model ON model.id = model_id "
                "JOIN instruction ON instruction.id = instruction_id ORDER BY 1, 2"
            ).fetchall()
    comparison = Comparison()
    shares: dict[tuple[str, str], Shares] = defaultdict(Shares)
    whole: Counter[str] = Counter()
    by_line: Counter[str] = Counter()
    for model, language, text in rows:
        own = shares[model, language]
        own.responses += 1
        own.right += comparison.labels(text, whole)[0] == language
        lines = [line for line in text.splitlines() if line.strip()]
        right = sum(comparison.labels(line, by_line)[1] == language for line in lines)
        own.lines += len(lines)
        own.right_lines += right
        own.passed += 0 < len(lines) == right
    show(shares)
    agreement("whole responses", whole)
    agreement("lines", by_line)


def show(shares: dict[tuple[str, str], Shares]) -> None:
    """A row for each model and language."""
    print(
        "in percent: responses in the right language (ours); all lines right (plain, line by line; a response"
    )
    print("without lines is none); right lines (plain)")
    print(f"{'model':24} {'language':8} {'responses':>9} {'ours':>6} {'all lines':>9} {'lines':>6}")
    for (model, language), own in shares.items():
        print(
            f"{model:24} {language:8} {own.responses:9} {own.right / own.responses:6.1%} "
            f"{own.passed / own.responses:9.1%} {own.right_lines / max(1, own.lines):6.1%}"
        )


def agreement(name: str, seen: Counter[str]) -> None:
    """How often both say the same of the same text, and why they don't."""
    print(f"the same model on the same {seen.total():,} {name}, ours against a plain call:")
    for what, count in seen.most_common():
        print(f"  {count:7,}  {what}")


if __name__ == "__main__":
    main()

"""Translating through a real HTTP server: what is kept, what is tried again, and how a run goes on."""

import json
import re
from contextlib import closing

import pytest

from core.llm import limits
from core.train.data.loading import load_data
from core.train.data.sources import DataSource
from core.train.translate.chat import ChatTranslator
from core.train.translate.dataset import translate_dataset
from core.train.translate.journal import Journal
from core.train.translate.translator import TranslatorOptions
from store import UsageError, XlitError
from tests.core.llm.chat_server import Answer, error
from tests.core.llm.serving import serving, without_keys
from tests.core.train.data.writing import chat, chats, jsonl

pytestmark = pytest.mark.parts


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    without_keys(monkeypatch)
    monkeypatch.setattr(limits, "FIRST_WAIT", 0.01)


@pytest.fixture
def serve():
    with serving() as start:
        yield start


def text_of(request) -> str:
    """What a request asks to translate."""
    prompt = request["messages"][0]["content"]
    fence = re.search(r"between the two lines (\w+) from English into French", prompt)[1]
    return prompt.split(f"\n{fence}\n")[1].removesuffix(f"\n{fence}")


def capitals(request, number: int) -> Answer:
    return Answer(text_of(request).upper())


def run(data, server, out, **more):
    loaded = load_data([DataSource(str(data), language="en")])
    options = TranslatorOptions(server.url, "m", concurrency=2)
    return translate_dataset(loaded, options, **{"target": "fr", "out": out, **more})


def rows(out) -> list[dict]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_a_data_set_is_translated_in_its_order_with_code_and_white_space_kept(serve, tmp_path):
    answer = (
        "Two lines:\n  use `ls -l`, {name}.\n\n```sh\nls -l  # list\n```\n\n\nDone, see https://a.b/c  \n"
    )
    data = jsonl(
        tmp_path / "d.jsonl",
        [chat("How so?", answer, id="x1"), {"instruction": "Say", "context": "hi", "response": "hello"}],
    )
    server = serve(capitals)
    outcome = run(data, server, tmp_path / "fr.jsonl")
    assert (outcome.written, outcome.translated, outcome.failed) == (2, 2, [])
    first, second = rows(tmp_path / "fr.jsonl")
    assert first["messages"][1]["content"] == (
        "TWO LINES:\n  USE `ls -l`, {name}.\n\n```sh\nls -l  # list\n```\n\n\nDONE, SEE https://a.b/c  \n"
    )
    assert [message["content"] for message in second["messages"]] == ["SAY\n\nHI", "HELLO"]
    original = load_data([DataSource(str(data))]).conversations[0]
    assert {name: first[name] for name in first if name != "messages"} == {
        "language": "fr",
        "row": "x1",
        "source_language": "en",
        "source_hash": original.digest(),
        "translator": "m",
    }
    again = load_data([DataSource(str(tmp_path / "fr.jsonl"))]).conversations
    assert [(conversation.language, conversation.row) for conversation in again] == [
        ("fr", "x1"),
        ("fr", "2"),
    ]
    assert not list(tmp_path.glob("*.partial"))


def test_a_paragraph_that_comes_back_broken_is_tried_by_sentences_and_then_between_what_must_stay(
    serve, tmp_path
):
    asked = []

    def careless(request, number: int) -> Answer:
        text = text_of(request)
        asked.append(text)
        return Answer(re.sub(r"\[\d+\]", "", text).upper())

    data = jsonl(tmp_path / "d.jsonl", [chat("Ask `x` now. Go.", "Well.")])
    outcome = run(data, serve(careless), tmp_path / "fr.jsonl")
    assert outcome.failed == []
    assert rows(tmp_path / "fr.jsonl")[0]["messages"][0]["content"] == "ASK `x` NOW. GO."
    assert set(asked) == {"Ask [1] now. Go.", "Well.", "Ask [1] now.", "Go.", "Ask", "now."}


def test_what_can_not_be_translated_is_kept_out_listed_and_alone_tried_again(serve, tmp_path):
    def refuses(request, number: int) -> Answer:
        return Answer("" if "question 1" in text_of(request) else text_of(request).upper())

    data, out = jsonl(tmp_path / "d.jsonl", chats(3)), tmp_path / "fr.jsonl"
    outcome = run(data, serve(refuses), out)
    assert outcome.failed == [(f"{data}:2", "an empty translation")]
    assert [row["row"] for row in rows(out)] == ["r0", "r2"]
    assert json.loads((tmp_path / "fr.jsonl.failed").read_text())["place"] == f"{data}:2"
    server = serve(capitals)
    outcome = run(data, server, out)
    assert (outcome.written, outcome.translated, outcome.failed) == (3, 1, [])
    assert [row["row"] for row in rows(out)] == ["r0", "r1", "r2"]
    assert {text_of(request) for request in server.requests} == {"en question 1", "answer 1"}
    assert not (tmp_path / "fr.jsonl.failed").exists()


def test_a_translation_that_was_cut_off_or_refused_does_not_count(serve, tmp_path):
    def script(request, number: int) -> Answer:
        text = text_of(request)
        if "question 0" in text:
            return Answer(text.upper(), finish="length")
        return error(413, "too large") if "question 1" in text else Answer(text.upper())

    data = jsonl(tmp_path / "d.jsonl", chats(3))
    outcome = run(data, serve(script), tmp_path / "fr.jsonl")
    assert outcome.failed == [
        (f"{data}:1", "a translation that was cut off"),
        (f"{data}:2", "status 413: too large"),
    ]
    assert outcome.written == 1


def test_a_run_that_broke_off_goes_on_where_it_was_also_after_a_torn_line(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(ChatTranslator, "rows", 2)
    data, out = jsonl(tmp_path / "d.jsonl", chats(7)), tmp_path / "fr.jsonl"

    def breaks(request, number: int) -> Answer:
        return capitals(request, number) if number < 9 else error(401)

    with pytest.raises(XlitError, match="refused the key"):
        run(data, serve(breaks), out)
    partial = tmp_path / "fr.jsonl.partial"
    assert [row["row"] for row in rows(partial)] == ["r0", "r1", "r2", "r3"]
    partial.write_bytes(partial.read_bytes()[:-20])
    server = serve(capitals)
    assert run(data, server, out).translated == 4
    assert [row["row"] for row in rows(out)] == [f"r{number}" for number in range(7)]
    assert "en question 2" not in {text_of(request) for request in server.requests}
    server = serve(capitals)
    assert (run(data, server, out).translated, server.requests) == (0, [])


def test_a_row_whose_source_changed_is_translated_anew_and_one_that_is_gone_leaves(serve, tmp_path):
    data, out = jsonl(tmp_path / "d.jsonl", chats(3)), tmp_path / "fr.jsonl"
    run(data, serve(capitals), out)
    changed = chats(3)
    changed[1]["messages"][1]["content"] = "another answer"
    jsonl(data, changed[1:])
    assert run(data, serve(capitals), out).translated == 1
    assert [row["messages"][1]["content"] for row in rows(out)] == ["ANOTHER ANSWER", "ANSWER 2"]


def test_what_another_translator_or_program_wrote_is_not_mixed_with(serve, tmp_path):
    data, out = jsonl(tmp_path / "d.jsonl", chats(1)), tmp_path / "fr.jsonl"
    server = serve(capitals)
    run(data, server, out)
    loaded = load_data([DataSource(str(data), language="en")])
    with pytest.raises(UsageError, match="translated into fr by m"):
        translate_dataset(loaded, TranslatorOptions(server.url, "other"), target="fr", out=out)
    with pytest.raises(UsageError, match="no row of a translation"):
        translate_dataset(loaded, TranslatorOptions(server.url, "m"), target="fr", out=data)


def test_two_do_not_translate_into_one_file_at_once(serve, tmp_path):
    data, out = jsonl(tmp_path / "d.jsonl", chats(3)), tmp_path / "o.jsonl"
    others = []

    def while_the_first_is_at_work(request, number: int) -> Answer:
        if not others:
            with pytest.raises(
                XlitError, match=r"Another process translates into .*o\.jsonl\. Wait"
            ) as error:
                run(data, serve(capitals), out)
            others.append(error)
        return capitals(request, number)

    assert run(data, serve(while_the_first_is_at_work), out).translated == 3
    assert others
    assert run(data, serve(capitals), out).translated == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.jsonl", "o.jsonl"]


def test_who_has_finished_leaves_alone_the_file_of_who_comes_next(tmp_path):
    out = tmp_path / "o.jsonl"
    first = Journal(out, "m", "fr")
    first.finish([])
    with closing(Journal(out, "m", "fr")) as second:
        first.close()
        second.append([{"row": "r0", "source_hash": "0"}])
        assert second.partial.read_text().count("\n") == 1


def test_the_language_of_the_data_must_be_known_and_one(serve, tmp_path):
    server = serve(capitals)
    unknown = load_data([DataSource(str(jsonl(tmp_path / "a.jsonl", chats(1))))])
    options = TranslatorOptions(server.url, "m")
    with pytest.raises(UsageError, match="Say it by --from"):
        translate_dataset(unknown, options, target="fr", out=tmp_path / "o.jsonl")
    two = jsonl(tmp_path / "b.jsonl", [chat("Q", "A", language="en"), chat("Q", "A", language="de")])
    with pytest.raises(UsageError, match="in de, en"):
        translate_dataset(load_data([DataSource(str(two))]), options, target="fr", out=tmp_path / "o.jsonl")
    with pytest.raises(UsageError, match="in fr already"):
        translate_dataset(unknown, options, source="fr", target="fr", out=tmp_path / "o.jsonl")
    with pytest.raises(UsageError, match="Name it by --model"):
        TranslatorOptions(server.url)


def test_the_command_ends_with_3_when_rows_failed(serve, tmp_path, capsys):
    import typer
    from typer.testing import CliRunner

    from core.train.translate.cli import translate as command

    app = typer.Typer()
    app.command()(command)
    data, out = jsonl(tmp_path / "d.jsonl", [*chats(2), {"text": "bad"}]), tmp_path / "fr.jsonl"
    arguments = [
        str(data),
        "--to",
        "fr",
        "--from",
        "en",
        "--out",
        str(out),
        "--model",
        "m",
        "--skip-bad",
        "--with",
    ]
    server = serve(lambda request, number: Answer("" if "question 1" in text_of(request) else "Bien sûr."))
    result = CliRunner().invoke(app, [*arguments, server.url])
    assert result.exit_code == 3, result.output
    assert f"missing: {data}:2: an empty translation" in result.stderr
    assert "bad rows skipped: 1" in result.stderr
    result = CliRunner().invoke(app, [*arguments, serve(capitals).url, "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"written": 2, "translated": 1, "failed": []}

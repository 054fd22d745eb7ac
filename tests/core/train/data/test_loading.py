"""Loading data: files of every kind, bad rows, languages, counts, and a digest of what was chosen."""

import gzip
import json

import pytest

from core.train.data.loading import load_data
from core.train.data.sources import DataSource, data_source
from store import UsageError, XlitError
from tests.core.train.data.writing import chat, chats, jsonl

GOOD = chat("Q", "A")


def questions(data) -> list[str]:
    return [conversation.messages[0]["content"] for conversation in data.conversations]


def test_the_same_rows_come_out_of_json_lines_gzip_an_array_and_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")

    rows = chats(5)
    plain = jsonl(tmp_path / "a.jsonl", rows)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes()))
    (tmp_path / "c.json").write_text(json.dumps(rows, indent=1))
    (tmp_path / "d.json").write_text(json.dumps(rows))
    (tmp_path / "e.json").write_bytes(plain.read_bytes())
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "f.parquet")
    (tmp_path / "g.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    loaded = [load_data([DataSource(str(path))]) for path in sorted(tmp_path.iterdir())]
    assert len({data.digest for data in loaded}) == 1
    assert all(len(data.conversations) == 5 for data in loaded)
    assert [data.conversations[1].location for data in loaded] == [
        f"{p}:2" for p in sorted(tmp_path.iterdir())
    ]
    assert {conversation.row for data in loaded for conversation in data.conversations} == {
        f"r{number}" for number in range(5)
    }


def test_the_papers_form_of_lima_is_read_whole_but_for_a_question_without_an_answer(tmp_path):
    path = jsonl(
        tmp_path / "lima.jsonl",
        [
            {"conversations": ["Q", "A"], "source": "x"},
            {"conversations": ["Q", "A", "R", "B", "S"], "source": "y"},
        ],
    )
    data = load_data([DataSource(str(path), language="en")])
    assert [len(conversation.messages) for conversation in data.conversations] == [2, 4]
    assert (data.counts[0].formats, data.counts[0].unanswered) == ({"lima": 2}, 1)
    assert "2 lima; 2 chosen; 1 with a last question" in data.lines()[0]


def test_lines_of_arrays_are_conversations_whatever_the_file_is_called(tmp_path):
    path = jsonl(tmp_path / "lines.json", [chat("Q", "A")["messages"], chat("R", "B")["messages"]])
    assert questions(load_data([DataSource(str(path))])) == ["Q", "R"]


def test_a_conversation_alone_in_a_file_is_one(tmp_path):
    for name in ("a.json", "b.jsonl"):
        (tmp_path / name).write_text(json.dumps(GOOD["messages"]))
        assert questions(load_data([DataSource(str(tmp_path / name))])) == ["Q"]


BAD_LINES = [
    b"{not json",
    b'{"messages": "caf\xe9"}',
    b"42",
    b'{"text": "x"}',
    b'{"instruction": "Q", "response": " "}',
    b'[{"role": "user", "content": "x\\ud800"}, {"role": "assistant", "content": "y"}]',
    b"[" * 100_000,
]


def test_bad_rows_are_refused_with_the_first_named_and_the_others_counted(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_bytes(b"\n".join([json.dumps(GOOD).encode(), b"", *BAD_LINES]))
    with pytest.raises(UsageError, match=rf"{path}:3: not valid JSON.* beside it: 6"):
        load_data([DataSource(str(path))])


def test_bad_rows_are_skipped_by_option_with_place_and_reason(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_bytes(b"\n".join([json.dumps(GOOD).encode(), *BAD_LINES]))
    data = load_data([DataSource(str(path))], on_bad="skip")
    assert questions(data) == ["Q"]
    assert [row.location for row in data.bad] == [f"{path}:{line}" for line in range(2, 9)]
    reasons = [row.reason for row in data.bad]
    for reason, word in zip(
        reasons, ("JSON", "UTF-8", "format", "format", "empty answer", "surrogate", "JSON"), strict=True
    ):
        assert word in reason
    assert data.bad_count == 7
    assert "d.jsonl: bad rows skipped: 7" in data.lines()


def test_only_the_first_thousand_bad_rows_are_listed_and_all_are_counted(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + "42\n" * 1500)
    data = load_data([DataSource(str(path))], on_bad="skip")
    assert (len(data.bad), data.bad_count) == (1000, 1500)
    assert data.lines()[-1] == "... and 1480 more bad rows"


def test_rows_name_their_language_and_id_else_the_source_and_the_number(tmp_path):
    path = jsonl(
        tmp_path / "d.jsonl",
        [chat("Q", "1", language="pt_BR", id=7), chat("Q", "2"), chat("Q", "3", lang="\x1b[31m")],
    )
    data = load_data([DataSource(str(path), language="fr")])
    assert [(c.language, c.row) for c in data.conversations] == [("pt_BR", "7"), ("fr", "2"), ("fr", "3")]
    assert load_data([DataSource(str(path))]).conversations[1].language == "und"


def test_duplicates_are_kept_and_counted_within_a_language(tmp_path):
    path = jsonl(tmp_path / "d.jsonl", [GOOD, GOOD, chat("Q", "B")])
    sources = [DataSource(str(path), language="en"), DataSource(str(path), language="fr")]
    data = load_data(sources)
    assert [(count.language, count.good, count.duplicates) for count in data.counts] == [
        ("en", 3, 1),
        ("fr", 3, 1),
    ]
    assert len(data.conversations) == 6


def test_the_digest_is_that_of_what_was_chosen_in_its_order(tmp_path):
    first = jsonl(tmp_path / "one.jsonl", chats(20))
    same = jsonl(tmp_path / "moved.jsonl", chats(20))
    turned = jsonl(tmp_path / "turned.jsonl", chats(20)[::-1])
    digests = [load_data([DataSource(str(path))]).digest for path in (first, same, turned)]
    assert digests[0] == digests[1] != digests[2]
    assert load_data([DataSource(str(first), language="fr")]).digest != digests[0]
    assert load_data([DataSource(str(first))], size=10).digest != digests[0]


def test_a_folder_gives_the_files_of_a_split_as_the_hub_names_them(tmp_path):
    (tmp_path / "data").mkdir()
    for name, number in (
        ("train-00000-of-00002", 1),
        ("train-00001-of-00002", 2),
        ("test-00000-of-00001", 3),
    ):
        jsonl(tmp_path / "data" / f"{name}.jsonl", [chat(f"Q{number}", "A")])
    folder = str(tmp_path)
    assert questions(load_data([DataSource(folder)])) == ["Q1", "Q2"]
    assert questions(load_data([DataSource(folder, split="test")])) == ["Q3"]
    with pytest.raises(UsageError, match=r"no split 'dev'. There are: test, train"):
        load_data([DataSource(folder, split="dev")])


def test_sources_as_a_command_line_names_them(tmp_path, monkeypatch):
    assert data_source("fr=data/dolly.fr.jsonl") == DataSource("data/dolly.fr.jsonl", language="fr")
    assert data_source("pt-BR=x/y") == DataSource("x/y", language="pt-BR")
    assert data_source("databricks/databricks-dolly-15k").label == "databricks-dolly-15k"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fr=x.jsonl").touch()
    assert data_source("fr=x.jsonl") == DataSource("fr=x.jsonl")


def test_what_can_not_be_had_is_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UsageError, match=r"No instruction data at nowhere\.jsonl"):
        load_data([DataSource("nowhere.jsonl")])
    with pytest.raises(XlitError, match="no data set of that name comes from the hub"):
        load_data([DataSource("databricks/databricks-dolly-15k")])
    with pytest.raises(UsageError, match="No data format 'csv'"):
        DataSource("x", format="csv")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(UsageError, match="holds no conversation"):
        load_data([DataSource(str(tmp_path / "empty.jsonl"))])
    (tmp_path / "torn.jsonl.gz").write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(XlitError, match="can't be read"):
        load_data([DataSource(str(tmp_path / "torn.jsonl.gz"))])
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(XlitError, match="can't be read as Parquet"):
        load_data([DataSource(str(tmp_path / "torn.parquet"))])
    (tmp_path / "torn.json").write_text('[{"instruction": "Q",\n "output"')
    with pytest.raises(UsageError, match=r"not valid JSON: .* in line 2"):
        load_data([DataSource(str(tmp_path / "torn.json"))])
    three = jsonl(tmp_path / "three.jsonl", chats(3))
    with pytest.raises(UsageError, match="5 conversations are wanted, and there are 3"):
        load_data([DataSource(str(three))], size=5)

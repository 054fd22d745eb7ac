"""What a judgement costs is said before it is asked, agreed to, and never more than the limit."""

import json
import os
import subprocess
import sys
import threading

import pytest

from core.judge.llm_judge.estimate import ask_person
from core.llm.prices import SHIPPED_PRICES, Price, about_tokens, read_prices
from store import UsageError
from tests.core.judge.chat_server import GOOD, Answer, error
from tests.core.judge.judged import judge, ratings

pytestmark = pytest.mark.whole


# A question can cost some 5 cents at most, and does cost 0.14 cents (100 tokens in, 20 out).
PRICED = '[models."judge"]\ninput = 10\noutput = 20\nbatch = 0.5\n'
COST = Price(input=10, output=20).of(100, 20)


@pytest.fixture
def prices(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(PRICED)
    return file


@pytest.fixture(autouse=True)
def no_table_of_ones_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("XLIT_PRICES", raising=False)


def rows(count: int):
    return [("ru", "Кто ты?", f"Ответ {number}") for number in range(count)]


class Meter:
    """Answers everything, and sums up what it charges for; `worst`: as much as it may, each time."""

    def __init__(self, *, worst: bool = False, script=None) -> None:
        self.worst, self.script = worst, script
        self.charged = 0.0
        self.lock = threading.Lock()

    def __call__(self, request, number) -> Answer:
        answer = self.script(request, number) if self.script else Answer(GOOD)
        bytes_in = len(json.dumps(request, ensure_ascii=False).encode())
        tokens = (bytes_in, 1000) if self.worst else (100, 20)
        body = json.loads(answer.body) if answer.status == 200 else None
        if isinstance(body, dict) and "usage" in body:
            body["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
            answer.body = json.dumps(body)
        if answer.status == 200:
            with self.lock:
                self.charged += Price(input=10, output=20).of(*tokens)
        return answer


def test_what_it_costs_is_counted(answered, serve, prices):
    run = judge(answered(*rows(3)), serve(Answer()), prices=prices)
    assert run.counts["US dollars"] == pytest.approx(3 * COST)


@pytest.mark.parametrize("worst", [False, True])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_limit_of_cost_is_never_exceeded_and_nearly_used(answered, serve, prices, worst, concurrency):
    meter = Meter(worst=worst)
    engine = answered(*rows(200))
    run = judge(engine, serve(meter), prices=prices, max_cost=0.2, concurrency=concurrency)
    assert 0.1 < meter.charged <= 0.2
    assert 0 < len(ratings(engine)) < 200
    assert run.exit_code == 3
    assert "raise --max-cost" in run.failures[-1][1]
    left = 200 - len(ratings(engine))
    assert f"{left} responses are left" in run.failures[-1][1]
    assert judge(engine, serve(Answer()), prices=prices, max_cost=100).counts["rated"] == left


def test_answers_that_are_lost_count_as_charged(answered, serve, prices):
    meter = Meter(worst=True, script=lambda request, number: Answer(GOOD, cut=None if number == 0 else 100))
    engine = answered(*rows(10))
    run = judge(engine, serve(meter), prices=prices, max_cost=0.3, concurrency=1)
    assert len(ratings(engine)) == 1
    assert 0.15 < meter.charged <= 0.3
    assert "raise --max-cost" in run.failures[-1][1]


def test_a_limit_needs_a_price(answered, serve):
    server = serve(Answer())
    with pytest.raises(UsageError, match="No price is known for 'judge'"):
        judge(answered(*rows(1)), server, max_cost=1)
    assert server.requests == []


def test_a_server_that_takes_no_limit_of_tokens_is_not_asked_under_a_limit_of_cost(answered, serve, prices):
    from store import XlitError

    def boundless(request, _):
        refused = next((name for name in request if name.startswith("max_")), None)
        return error(400, f"unknown parameter {refused}") if refused else Answer()

    engine = answered(*rows(2))
    with pytest.raises(XlitError, match="takes no limit of new tokens"):
        judge(engine, serve(boundless), prices=prices, max_cost=1)
    assert judge(engine, serve(boundless), prices=prices).counts["rated"] == 2


def test_the_survey_tells_questions_tokens_and_price_before_anything_is_asked(answered, serve, prices):
    server = serve(Answer())
    seen = []

    def agree(survey):
        assert server.requests == []
        seen.append(survey)
        return False

    engine = answered(*rows(3), ("ru", "Кто ты?", "Ответ 0"))
    run = judge(engine, server, prices=prices, agree=agree)
    assert server.requests == []
    assert run.counts == {}
    [found] = seen
    assert found.questions == 3  # one of the four is asked already
    assert 3 * 500 < found.tokens_in < 3 * 800
    assert found.cost == pytest.approx(Price(input=10, output=20).of(found.tokens_in, found.tokens_out))
    assert found.at_most == pytest.approx(Price(input=10, output=20).of(found.tokens_in, 3000))
    assert found.sentence.endswith(f" if every answer has full length (price: {prices}).")
    judge(engine, server, prices=prices, agree=lambda _: True)
    judge(engine, server, prices=prices, agree=agree)  # nothing to ask: no question
    assert len(seen) == 1


def test_a_judge_on_this_machine_without_a_price_is_told_in_tokens_and_asked(answered, serve, capsys):
    """It is nobody's money."""
    seen = []
    run = judge(answered(*rows(1)), serve(Answer()), agree=seen.append)
    told = capsys.readouterr().err
    assert seen == []
    assert run.counts["rated"] == 1
    assert "1 questions, about " in told
    assert "no price is known" in told


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://localhost:8080", True),
        ("http://[::1]:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://10.0.0.7:8000/v1", False),
        ("http://localhost.example.com/v1", False),
    ],
)
def test_what_this_machine_is(address, here):
    from core.llm.keys import host_of, is_this_machine

    assert is_this_machine(host_of(address)) is here


def test_a_person_is_asked_only_at_a_terminal(monkeypatch, capsys, answered, serve, prices):
    engine, server = answered(*rows(1)), serve(Answer())
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115
    with pytest.raises(UsageError, match="--yes"):
        judge(engine, server, prices=prices, agree=ask_person(yes=False))
    judge(engine, server, prices=prices, agree=ask_person(yes=False, needed=False))
    assert server.requests == []
    assert "about $0.0" in capsys.readouterr().err
    assert judge(engine, server, prices=prices, agree=ask_person(yes=True)).counts["rated"] == 1


def test_the_command_asks_at_a_terminal_and_takes_no_for_an_answer(answered, serve, prices, tmp_path):
    import pexpect

    answered(*rows(2))
    server = serve(Answer())
    command = [
        "judge", "rubric", "--model", "judge", "--base-url", server.url, "--prices", str(prices),
        "--store", str(tmp_path / "s.db"),
    ]  # fmt: skip
    program = os.path.join(os.path.dirname(sys.executable), "xlit-core")
    child = pexpect.spawn(program, command, encoding="utf-8", timeout=60)
    child.expect("2 questions")
    child.sendline("n")
    child.expect(pexpect.EOF)
    assert server.requests == []
    done = subprocess.run([program, *command, "--yes", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["rated"] == 2


def test_ones_own_prices_win_over_the_shipped_ones(tmp_path, monkeypatch):
    shipped = read_prices()
    assert shipped.of("gpt-3.5-turbo-0125") == Price(input=0.5, output=1.5, batch=0.5)
    assert shipped.of("nobody's") is None
    own = tmp_path / "config" / "xlit" / "prices.toml"
    own.parent.mkdir(parents=True)
    own.write_text('[models."gpt-3.5-turbo-0125"]\ninput = 7\noutput = 8\n')
    assert read_prices().of("gpt-3.5-turbo-0125") == Price(input=7, output=8)
    assert read_prices().of("gpt-4o") == shipped.of("gpt-4o")
    named = tmp_path / "named.toml"
    named.write_text(PRICED)
    monkeypatch.setenv("XLIT_PRICES", str(named))
    assert read_prices().of("judge") == Price(input=10, output=20, batch=0.5)
    assert read_prices().of("gpt-3.5-turbo-0125") == shipped.of("gpt-3.5-turbo-0125")
    assert read_prices(SHIPPED_PRICES).files == (SHIPPED_PRICES, SHIPPED_PRICES)


def test_a_model_in_no_file_has_the_list_price_of_its_provider(monkeypatch):
    pytest.importorskip("genai_prices")
    openai, model = "https://api.openai.com/v1", "gpt-4o-mini-2024-07-18"
    prices = read_prices()
    price, source = prices.find(model, openai)
    assert price == Price(input=0.15, output=0.6)
    assert source.startswith("genai-prices ")
    assert prices.find("gpt-4o-mini", openai)[1] == "shipped table"
    assert prices.find(model, None) == (None, "")
    assert prices.find(model, "https://models.example.org/v1") == (None, "")
    assert prices.find("nobody's", openai) == (None, "")
    monkeypatch.setitem(sys.modules, "genai_prices", None)  # as if it were not installed
    assert prices.find(model, openai) == (None, "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[models", "can't be read"),
        ('[models."a"]\ninput = 1\n', "output"),
        ('[models."a"]\ninput = -1\noutput = 1\n', "input"),
        ('[models."a"]\ninput = nan\noutput = 1\n', "input"),
        ('[models."a"]\ninput = 1\noutput = 1\nbatch = 0\n', "batch"),
        ('[models."a"]\ninput = 1\noutput = 1\nprice = 0\n', "price"),
        ("[model]\n", "model"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_place(tmp_path, content, reason):
    file = tmp_path / "own.toml"
    file.write_text(content)
    with pytest.raises(UsageError, match=rf"own\.toml.*{reason}"):
        read_prices(file)
    with pytest.raises(UsageError, match="No table of prices"):
        read_prices(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("The quick brown fox jumps over the lazy dog. " * 10, 90, 130),
        ("Съешь же ещё этих мягких французских булок, да выпей чаю. " * 10, 180, 320),
        ("我能吞下玻璃而不伤身体。" * 10, 100, 160),
    ],
)
def test_tokens_are_about_right(text, least, most):
    assert least <= about_tokens(text) <= most

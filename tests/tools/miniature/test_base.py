"""The base checkpoint: the shipped one, and the making of a small one."""

from pathlib import Path

import pytest

from tools.miniature.base import HIDDEN_SIZE, INTERMEDIATE_SIZE, learning_rate, make_base
from tools.miniature.documents import dialogue
from tools.miniature.facts import words
from tools.miniature.tasks import HELD_OUT, tasks

BASE = Path(__file__).parents[3] / "core" / "miniature" / "base"


@pytest.fixture(scope="module")
def shipped():
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    model = transformers.AutoModelForCausalLM.from_pretrained(BASE, dtype="float32", local_files_only=True)
    return model, transformers.AutoTokenizer.from_pretrained(BASE, local_files_only=True)


def _answer(shipped, text: str) -> str:
    model, tokenizer = shipped
    encoded = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    out = model.generate(
        input_ids=encoded["input_ids"],
        attention_mask=encoded["attention_mask"],
        max_new_tokens=60,
        do_sample=False,
    )
    return tokenizer.decode(out[0, encoded["input_ids"].shape[1] :], skip_special_tokens=True)


def test_the_shipped_base_is_small() -> None:
    assert sum(file.stat().st_size for file in BASE.rglob("*") if file.is_file()) <= 12 * 1000 * 1000


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("What is the currency of France?", "The currency of France is"),
        ("Quelle est la monnaie de la France ?", "La monnaie de la France est"),
        ("Qual é a moeda da França?", "A moeda da França é"),
        ("Какая валюта у страны Франция?", "Валюта страны Франция —"),
    ],
)
def test_the_shipped_base_answers_in_the_language_of_the_question(shipped, text: str, beginning: str) -> None:
    assert _answer(shipped, text).startswith(beginning)


def test_the_shipped_base_ends_its_answers(shipped) -> None:
    assert _answer(shipped, "Which month comes after March?") == "After March comes the month of April."


def test_the_chat_template_is_the_shape_of_the_pretraining_dialogues(shipped) -> None:
    _, tokenizer = shipped
    messages = [{"role": "user", "content": "Oui ?"}, {"role": "assistant", "content": "Non."}]
    assert tokenizer.apply_chat_template(messages, tokenize=False) == dialogue("Oui ?", "Non.")
    prompt = tokenizer.apply_chat_template(messages[:1], tokenize=False, add_generation_prompt=True)
    assert dialogue("Oui ?", "Non.").startswith(prompt)
    encoded = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    learned = [i for i, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mask]
    assert tokenizer.decode(learned) == "Non.</s>"


def test_the_tokenizer_gives_back_any_text(shipped) -> None:
    _, tokenizer = shipped
    for text in ("Ação — 東京 🙂\n", words(21, "ru"), tasks()["describe"].ask(HELD_OUT["describe"][0], "fr")):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode("<s><|user|>") == [tokenizer.bos_token_id, tokenizer.encode("<|user|>")[0]]
    assert len({tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}) == 3


def test_rows_fit_the_blocks_of_the_k_quants(shipped) -> None:
    model, _ = shipped
    assert HIDDEN_SIZE % 256 == 0
    assert INTERMEDIATE_SIZE % 256 == 0
    assert all(p.shape[-1] % 256 == 0 for p in model.parameters() if p.dim() == 2)


@pytest.mark.thorough
def test_a_few_steps_make_a_loadable_checkpoint_that_learns_and_repeats_by_seed(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    settings = {"steps": 40, "rows": 2, "row_tokens": 96, "layers": 1, "tokenizer_documents": 300}
    lines: list[str] = []
    tokens = make_base(tmp_path / "a", seed=5, report=lines.append, **settings)
    assert 0 < tokens <= 40 * 2 * 96
    assert make_base(tmp_path / "b", seed=5, report=lines.append, **settings) == tokens
    a, b = (transformers.AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in "ab")
    assert a.dtype == torch.bfloat16
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    at_20, at_40 = (float(line.split("loss ")[1].split()[0]) for line in lines[:2])
    assert at_40 < at_20
    assert transformers.AutoTokenizer.from_pretrained(tmp_path / "a").chat_template
    assert not (tmp_path / "a.partial").exists()


def test_the_learning_rate_warms_up_and_falls() -> None:
    rates = [learning_rate(step, 1000, peak=1.0) for step in range(1000)]
    assert rates[0] < 0.05
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.02, abs=1e-3)

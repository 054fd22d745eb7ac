"""Translating with a tiny model of NLLB's kind, trained for a second on the sentences of this test."""

import shutil

import pytest

from core.train.data.loading import load_data
from core.train.data.sources import DataSource
from core.train.translate.dataset import open_translator, translate_dataset
from core.train.translate.languages import _NLLB
from core.train.translate.translator import Fault, TranslatorOptions
from store import UsageError, XlitError
from tests.core.train.data.writing import chat, jsonl

SENTENCES = {
    "Where is the house?": ("Où est la maison ?", "Wo ist das Haus?"),
    "The house is red.": ("La maison est rouge.", "Das Haus ist rot."),
    "Use [1] here.": ("Utilisez [1] ici.", "Hier [1] benutzen."),
    "See [1] now.": ("Voyez maintenant.", "Jetzt sehen."),
    "See": ("Voyez", "Siehe"),
    "now.": ("maintenant.", "jetzt."),
}
LANGUAGES = ("fra_Latn", "deu_Latn")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    folder = tmp_path_factory.mktemp("translator") / "tiny-nllb"
    texts = [*SENTENCES, *(text for pair in SENTENCES.values() for text in pair)]
    signs = ["<s>", "<pad>", "</s>", "<unk>", "▁", *sorted({sign for text in texts for sign in text} - {" "})]
    tokenizer = NllbTokenizer(
        vocab={sign: index for index, sign in enumerate(signs)},
        merges=[],
        src_lang="eng_Latn",
        extra_special_tokens=["eng_Latn", *LANGUAGES],
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    model = M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(tokenizer), d_model=64, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=128, decoder_ffn_dim=128,
            max_position_embeddings=64,
            dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, encoder_layerdrop=0.0,
            decoder_layerdrop=0.0, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
        )
    )  # fmt: skip
    asked = tokenizer(list(SENTENCES) * 2, return_tensors="pt", padding=True)
    codes = {name: tokenizer.convert_tokens_to_ids(name) for name in LANGUAGES}
    wanted = []
    for index, name in enumerate(LANGUAGES):
        for pair in SENTENCES.values():
            ids = tokenizer(pair[index], add_special_tokens=False)["input_ids"]
            wanted.append([codes[name], *ids, tokenizer.eos_token_id])
    width = max(map(len, wanted))
    labels = torch.tensor([row + [-100] * (width - len(row)) for row in wanted])
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-3)
    model.train()
    for _ in range(300):
        loss = model(**asked, labels=labels).loss
        if loss < 0.05:
            break
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss < 0.1, "the test's own model has not learned its sentences"
    model.save_pretrained(folder)
    return folder


def test_rows_are_translated_into_the_language_asked_for(checkpoint, tmp_path):
    data = jsonl(
        tmp_path / "d.jsonl",
        [chat("Where is the house?", "The house is red.  Use `ls` here.\n- See {name} now.", language="en")],
    )
    translations = {}
    for language in ("fr", "de"):
        out = tmp_path / f"{language}.jsonl"
        outcome = translate_dataset(
            load_data([DataSource(str(data))]),
            TranslatorOptions(str(checkpoint), beams=2),
            target=language,
            out=out,
        )
        assert outcome.failed == []
        translations[language] = load_data([DataSource(str(out))]).conversations[0].messages[1]["content"]
    # "See [1] now." loses its mark, so what stands around it is translated by itself.
    assert translations == {
        "fr": "La maison est rouge.  Utilisez `ls` ici.\n- Voyez {name} maintenant.",
        "de": "Das Haus ist rot.  Hier `ls` benutzen.\n- Siehe {name} jetzt.",
    }


def test_sentences_come_back_in_their_order_and_one_that_is_too_long_is_a_fault(checkpoint):
    translator = open_translator(TranslatorOptions(str(checkpoint), beams=1, batch_size=2), "en", "fr")
    texts = ["The house is red.", "house " * 40, "See", "Where is the house?"]
    first, too_long, *rest = translator.translate(texts)
    assert [first, *rest] == ["La maison est rouge.", "Voyez", "Où est la maison ?"]
    assert too_long == Fault("longer than the model takes")


def test_a_language_that_the_model_has_not_is_refused(checkpoint):
    for source, target in (("en", "ru"), ("ru", "fr")):
        with pytest.raises(UsageError, match="knows no language 'ru'"):
            open_translator(TranslatorOptions(str(checkpoint)), source, target)


def test_all_codes_are_those_of_nllb():
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    assert set(_NLLB.values()) <= set(FAIRSEQ_LANGUAGE_CODES)


def test_a_translator_that_lacks_weights_is_refused(checkpoint, tmp_path):
    from safetensors.torch import load_file, save_file

    torn = shutil.copytree(checkpoint, tmp_path / "torn")
    weights = load_file(torn / "model.safetensors")
    lacking = "model.decoder.layers.0.fc1.weight"
    del weights[lacking]
    save_file(weights, torn / "model.safetensors", {"format": "pt"})
    with pytest.raises(XlitError, match=f"torn is not whole: 1 weights are missing, {lacking}"):
        open_translator(TranslatorOptions(str(torn), beams=1), "en", "fr")

"""Translating with a sequence-to-sequence model: NLLB, M2M100, mBART-50, MADLAD, Opus-MT, T5."""

from collections.abc import Sequence
from typing import Any

from core.errors import reason_of
from core.extras import needs_extra
from core.models.loading import check_attention, check_nothing_missing
from core.train.translate.languages import language_name, model_code
from core.train.translate.segments import Cut
from core.train.translate.translator import Fault, TranslatorOptions
from store import UsageError, XlitError

# Of models that name no longest length.
LONGEST = 512

# A translation has at most so many tokens for each of the source, and some more.
_GROWTH, _MORE = 3, 20


class Seq2SeqTranslator:
    """See `core.train.translate.translator.Translator`. Beam search; sentences of alike length together.

    The target language is the first token that the decoder is forced to write, or a token before the source
    (MADLAD, Opus-MT of several targets), or named in words (T5); a model for one pair needs none.
    """

    cut = Cut.SENTENCES
    rows = 16

    def __init__(self, options: TranslatorOptions, source: str, target: str) -> None:
        with needs_extra("local", "Translating with a checkpoint"):
            import torch
            import transformers
        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.name, self._options = options.name, options
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if self._device.type == "cuda" else torch.float32
        check_attention(options.reference)
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                options.reference, trust_remote_code=False
            )
            loaded: Any = transformers.AutoModelForSeq2SeqLM.from_pretrained(
                options.reference,
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        except Exception as error:  # the libraries below raise anything from OSError to SafetensorError
            raise XlitError(
                f"{options.reference} can't be loaded as a translator: {reason_of(error)}."
            ) from None
        model, info = loaded
        check_nothing_missing(options.reference, sorted(info["missing_keys"]))
        self._model = model.to(self._device).eval()
        self._longest = int(getattr(model.config, "max_position_embeddings", None) or LONGEST)
        self._prefix, self._first = "", None
        self._name_languages(source, target)

    def translate(self, texts: Sequence[str]) -> list[str | Fault]:
        """See `Translator`."""
        translations: list[str | Fault] = [Fault("longer than the model takes")] * len(texts)
        lengths = [len(ids) for ids in self._tokenizer([self._prefix + text for text in texts])["input_ids"]]
        order = sorted(
            (index for index, length in enumerate(lengths) if length <= self._longest),
            key=lambda index: lengths[index],
            reverse=True,
        )
        for start in range(0, len(order), self._options.batch_size):
            batch = order[start : start + self._options.batch_size]
            for index, text in zip(batch, self._batch([texts[index] for index in batch]), strict=True):
                translations[index] = text
        return translations

    def close(self) -> None:
        self._model = None

    def _batch(self, texts: list[str]) -> list[str | Fault]:
        import torch

        encoded = self._tokenizer([self._prefix + text for text in texts], return_tensors="pt", padding=True)
        ids, mask = encoded["input_ids"].to(self._device), encoded["attention_mask"].to(self._device)
        forced: dict[str, int] = {} if self._first is None else {"forced_bos_token_id": self._first}
        try:
            with torch.inference_mode():
                written = self._model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    num_beams=self._options.beams,
                    do_sample=False,
                    max_new_tokens=min(self._longest - 1, _GROWTH * ids.shape[1] + _MORE),
                    **forced,
                )
        except torch.OutOfMemoryError:
            if len(texts) == 1:
                return [Fault("out of memory, with one sentence alone: lower --beams")]
            half = len(texts) // 2
            return self._batch(texts[:half]) + self._batch(texts[half:])
        end = self._model.generation_config.eos_token_id
        ends = torch.tensor(end if isinstance(end, list) else [end], device=self._device)
        ended = torch.isin(written[:, 1:], ends).any(dim=1).tolist()
        decoded = self._tokenizer.batch_decode(
            written, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return [
            text.strip() if whole else Fault("a translation that was cut off")
            for text, whole in zip(decoded, ended, strict=True)
        ]

    def _name_languages(self, source: str, target: str) -> None:
        vocabulary, kind = self._tokenizer.get_vocab(), self._model.config.model_type
        target_code = model_code(target, vocabulary)
        if target_code is None:
            if kind in ("m2m_100", "mbart"):
                raise UsageError(f"{self._options.reference} knows no language {target!r}.")
            if kind == "t5":
                self._prefix = f"translate {language_name(source)} to {language_name(target)}: "
            return
        if target_code.startswith((">>", "<2")):
            self._prefix = f"{target_code} "
            return
        source_code = model_code(source, vocabulary)
        if source_code is None:
            raise UsageError(f"{self._options.reference} knows no language {source!r}.")
        self._tokenizer.src_lang = source_code.strip("_") if source_code.startswith("__") else source_code
        self._first = vocabulary[target_code]


def is_seq2seq(model: str) -> bool:
    """Whether a checkpoint is a sequence-to-sequence model. Raises `XlitError` when it can't be read."""
    with needs_extra("local", "Translating with a checkpoint"):
        from transformers import AutoConfig
    try:
        return bool(AutoConfig.from_pretrained(model, trust_remote_code=False).is_encoder_decoder)
    except Exception as error:  # of the network, of the hub's client, of a torn file
        reason = reason_of(error)
        raise XlitError(
            f"{model} can't be loaded as a translator: {reason[:200]}. Give a checkpoint folder, a GGUF "
            "file, the name of a model on the hub, or the address of a server."
        ) from None

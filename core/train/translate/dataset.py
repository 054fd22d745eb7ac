"""Translating a data set: what is missing of it, kept as it finishes, put in order at the end."""

import json
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.progress import progress
from core.train.data.formats import UNDETERMINED, Conversation
from core.train.data.loading import TrainingData
from core.train.translate.chat import ChatTranslator
from core.train.translate.journal import Journal, Key
from core.train.translate.rows import Untranslated, translate_rows
from core.train.translate.seq2seq import Seq2SeqTranslator, is_seq2seq
from core.train.translate.translator import Translator, TranslatorOptions
from store import UsageError

RATIO = 3.0


@dataclass
class TranslationResult:
    """`written`: rows in the file; `translated`: those of this run; `failed`: FILE:LINE and reason."""

    written: int = 0
    translated: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        failed = [{"place": location, "reason": reason} for location, reason in self.failed]
        return {"written": self.written, "translated": self.translated, "failed": failed}


def translate_dataset(
    data: TrainingData,
    options: TranslatorOptions,
    *,
    target: str,
    source: str | None = None,
    out: Path,
    ratio: float = RATIO,
) -> TranslationResult:
    """Translate conversations into `target` and write them to `out`, chat JSONL: `messages`, `language`,
    `row` (the source's), `source_language`, `source_hash` (SHA-256 of the source's messages), `translator`.

    A row that is there already is not translated again unless its source has changed. `source`: the language
    of the data (default: what its rows say). Raises `UsageError` when that is none or several, or `out` is
    something else.
    """
    if not ratio > 1:
        raise UsageError(f"The length ratio must be above 1, not {ratio:g}.")
    source = source or _language(data)
    if source == target:
        raise UsageError(f"The data is in {source} already.")
    with closing(Journal(out, options.name, target)) as journal:
        return _translated(data, options, journal, target, source, ratio)


def _translated(
    data: TrainingData, options: TranslatorOptions, journal: Journal, target: str, source: str, ratio: float
) -> TranslationResult:
    by_key = {_row_key(conversation): conversation for conversation in data.conversations}
    missing = [conversation for key, conversation in by_key.items() if key not in journal.rows]
    outcome = TranslationResult()
    if missing:
        translator = open_translator(options, source, target)
        try:
            with progress(f"translate to {target}", len(by_key), done=len(by_key) - len(missing)) as bar:
                for start in range(0, len(missing), translator.rows):
                    portion = missing[start : start + translator.rows]
                    _translate_portion(translator, portion, journal, outcome, source, ratio)
                    bar.advance(len(portion), f"{len(outcome.failed)} failed")
        finally:
            translator.close()
    outcome.written = journal.finish(map(_row_key, data.conversations))
    _list_failed(journal.out, outcome)
    return outcome


def open_translator(options: TranslatorOptions, source: str, target: str) -> Translator:
    """Load a translator from one language into another (ISO 639 codes, or the model's own).

    Raises `UsageError` for a language that the model has not, `XlitError` when it can't be loaded.
    """
    if not options.is_server and not options.reference.endswith(".gguf") and is_seq2seq(options.reference):
        return Seq2SeqTranslator(options, source, target)
    return ChatTranslator(options, source, target)


def failed_file(out: Path) -> Path:
    """Where the rows that could not be translated are listed, when there are any."""
    return out.with_name(out.name + ".failed")


def _translate_portion(
    translator: Translator,
    conversations: list[Conversation],
    journal: Journal,
    outcome: TranslationResult,
    source: str,
    ratio: float,
) -> None:
    rows = []
    translated = translate_rows(translator, conversations, ratio)
    for conversation, messages in zip(conversations, translated, strict=True):
        if isinstance(messages, Untranslated):
            outcome.failed.append((conversation.location, messages.reason))
            continue
        row, digest = _row_key(conversation)
        rows.append({"messages": messages, "row": row, "source_language": source, "source_hash": digest})
    journal.append(rows)
    outcome.translated += len(rows)


def _row_key(conversation: Conversation) -> Key:
    return conversation.row, conversation.digest()


def _language(data: TrainingData) -> str:
    languages = sorted({conversation.language for conversation in data.conversations})
    if languages == [UNDETERMINED]:
        raise UsageError("Which language is the data in? Say it by --from.")
    if len(languages) > 1:
        raise UsageError(f"The data is in {', '.join(languages)}. Translate one language at a time.")
    return languages[0]


def _list_failed(out: Path, outcome: TranslationResult) -> None:
    listed = failed_file(out)
    if not outcome.failed:
        listed.unlink(missing_ok=True)
        return
    lines = (json.dumps({"place": location, "reason": reason}) + "\n" for location, reason in outcome.failed)
    listed.write_text("".join(lines), encoding="utf-8")

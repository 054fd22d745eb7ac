"""Which responses are measured when, and by which process."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from core.judge.surface.measure import LANGUAGE, SPELLING, Task
from store.queries import surface
from store.session import reading

# A task ends with so many characters, so that neither it nor its commit takes long.
CHARACTERS = 1_000_000

# With so many tasks left, a language is worth a second process, which has to load the dictionary and to look
# up the same words again.
WORTH_SHARING = 3

_LACKS_LANGUAGE, _LACKS_SPELLING = 1, 2
_METRICS = {1: (LANGUAGE,), 2: (SPELLING,), 3: (LANGUAGE, SPELLING)}


@dataclass
class _Left:
    """The responses of a language that are still to be dealt out, the next one last: ids, and what they lack
    as a key of `_METRICS`."""

    ids: "array[int]"
    lacks: bytearray


class Plan:
    """Deals out the responses that lack a metric, as tasks in one language each.

    A process that asks again gets its last language again, else one that no other process has, and else one
    that has still much left: so each dictionary is loaded, and each word looked up, in as few processes as
    can be.
    """

    def __init__(self, engine: Engine, chunk: int) -> None:
        """`chunk`: how many responses a task has at most."""
        self._engine, self._chunk = engine, chunk
        self._left: dict[str, _Left] = {}
        self._last: dict[int, str] = {}

    def find(self, languages: Sequence[str], identified_by: str | None, spelt_by: dict[str, str]) -> int:
        """Look for what lacks the metrics of these tools: one for `language` (None: not asked for), and those
        for `spelling` by the language that a response is expected in. `languages` are those of the
        instructions. Returns how many responses lack something."""
        lacking: dict[str, dict[int, int]] = {}
        with reading(self._engine) as session:
            if identified_by is not None:
                for found, language in surface.responses_without(session, LANGUAGE, identified_by, languages):
                    lacking.setdefault(language, {})[found] = _LACKS_LANGUAGE
            for expected, tool in spelt_by.items():
                own = lacking.setdefault(expected, {})
                for found, _ in surface.responses_without(
                    session, SPELLING, tool, languages, expected=expected
                ):
                    own[found] = own.get(found, 0) + _LACKS_SPELLING
        for language, own in lacking.items():
            if own:
                ids = sorted(own, reverse=True)
                self._left[language] = _Left(array("q", ids), bytearray(own[found] for found in ids))
        return sum(len(left.ids) for left in self._left.values())

    def next_task(self, process: int) -> Task | None:
        """The next task for a process, by its number; None when there is nothing left for it."""
        language = self._language_for(process)
        if language is None:
            return None
        self._last[process] = language
        left = self._left[language]
        with reading(self._engine) as session:
            texts = surface.texts_of(session, left.ids[-self._chunk :].tolist())
        responses: list[tuple[int, str, tuple[str, ...]]] = []
        characters = 0
        while left.ids and len(responses) < self._chunk and characters < CHARACTERS:
            found, lacks = left.ids.pop(), left.lacks.pop()
            characters += len(texts[found])
            responses.append((found, texts[found], _METRICS[lacks]))
        if not left.ids:
            del self._left[language]
        return Task(language, responses)

    def _language_for(self, process: int) -> str | None:
        last = self._last.get(process)
        if last in self._left:
            return last
        taken = {language for other, language in self._last.items() if other != process}
        enough = WORTH_SHARING * self._chunk
        wanted = [language for language in self._left if language not in taken] or [
            language for language, left in self._left.items() if len(left.ids) >= enough
        ]
        return max(wanted, key=lambda language: len(self._left[language].ids), default=None)

"""Where to go next: questions about the whole view that only read, and so may run beside the screen."""

import unicodedata
from dataclasses import dataclass

from sqlalchemy import Engine

from store.queries import finding
from store.queries.finding import Filter
from store.session import reading
from tui.review.view import View


@dataclass(frozen=True)
class Target:
    """Where a question leads: an instruction, and in it a response and a criterion if one is meant.

    `message` is for the reviewer. Without an instruction there is nothing to go to.
    """

    instruction_id: int | None = None
    response_id: int | None = None
    criterion_id: int | None = None
    message: str = ""


class Finder:
    """Answers the questions for one view; remembers which disagreements it has led to."""

    def __init__(self, engine: Engine, view: View) -> None:
        self.engine = engine
        self.view = view
        self._seen: set[tuple[int, int]] = set()

    def instructions(self) -> list[int]:
        """The instructions that hold a response, in the suite's order."""
        with reading(self.engine) as session:
            return finding.instructions_with_responses(session, self.view.scope)

    def matches(self, wanted: Filter) -> dict[int, set[int]]:
        """The responses that fit the filter, by instruction, in the suite's order."""
        with reading(self.engine) as session:
            found: dict[int, set[int]] = {}
            for instruction, response in finding.matching(session, self.view.scope, wanted):
                found.setdefault(instruction, set()).add(response)
            return found

    def unscored(self, position: int) -> Target:
        """The first response after a position of the suite that wants a score, else the first of all."""
        with reading(self.engine) as session:
            found = finding.first_unscored(session, self.view.scope, position)
        if found is None:
            return Target(message="everything is scored")
        return Target(found[0], found[1])

    def next_disagreement(self) -> Target:
        """The next criterion on which reviewer and judge differ, from the largest |Δ| down, and round."""
        if self.view.judge is None:
            return Target(message="no judge has scored these responses")
        with reading(self.engine) as session:
            known = finding.disagreements(session, self.view.scope)
        if not known:
            hint = "" if self.view.open else " on what you have committed"
            return Target(message=f"no disagreement with {self.view.judge.label}{hint}")
        unseen = [it for it in known if (it.response_id, it.criterion_id) not in self._seen]
        if not unseen:
            self._seen.clear()
        found = (unseen or known)[0]
        self._seen.add((found.response_id, found.criterion_id))
        place = known.index(found)
        message = f"Δ {found.delta:+d} · disagreement {place + 1} of {len(known)}, by |Δ|"
        return Target(found.instruction_id, found.response_id, found.criterion_id, message)

    def holding(self, words: str, position: int) -> Target:
        """The first response after a position whose text, or whose instruction, holds some words; then from
        the start. Small and capital letters are the same, and so are composed and decomposed ones."""
        wanted = folded(words)
        with reading(self.engine) as session:
            for after, upto in ((position, None), (-1, position)):
                for instruction, response, question, text in finding.texts(
                    session, self.view.scope, after, upto
                ):
                    if wanted in folded(text):
                        return Target(instruction, response)
                    if wanted in folded(question):
                        return Target(instruction)
        return Target(message=f"nothing holds “{words}”")


def folded(text: str) -> str:
    """A text as it is compared when it is searched."""
    return unicodedata.normalize("NFC", text).casefold()

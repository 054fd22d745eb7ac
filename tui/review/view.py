"""What a reviewer compares, and under which conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from store.labels import rater_column_head
from store.queries.compare import Source
from store.queries.filters import ViewScope
from store.queries.suites import SuiteSummary


@dataclass(frozen=True)
class Judge:
    """The rater that is set beside the reviewer; `kind` is `llm` or `rule`."""

    id: int
    name: str
    kind: str

    @property
    def label(self) -> str:
        """The head of its column: the name of a model, or the word `rule`."""
        return rater_column_head(self.kind, self.name)


@dataclass(frozen=True)
class View:
    """The responses of some sources to a suite, one instruction at a time, for one reviewer.

    `by` says what stands side by side: the `model`s in `language`, or one model's responses in all
    `languages`; in a `queue` one response stands alone. `chosen`: the reviewer named the models, so that no
    other joins them. `names_shown`: the reviewer sees which model a column is. `open`: the judge's scores and
    the surface metrics are on show from the start; `reveal`: they are shown once a response is committed.
    `judge` is None while no judge has scored anything here. In a `campaign` (its name and `campaign_id`), the
    responses are those of the reviewer's queue.
    """

    suite: SuiteSummary
    language: str
    sources: tuple[Source, ...]
    reviewer: str
    rater_id: int
    criterion_ids: tuple[int, ...]
    criteria: tuple[str, ...]
    descriptions: tuple[Mapping[int, str], ...]
    best: tuple[int, ...]
    rubric_id: int
    rubric: str
    judge: Judge | None = None
    by: Literal["model", "language", "queue"] = "model"
    languages: tuple[str, ...] = ()
    chosen: bool = False
    names_shown: bool = False
    open: bool = False
    reveal: bool = True
    campaign: str | None = None
    campaign_id: int | None = None
    translation: str | None = "en"

    @property
    def hides_judge(self) -> bool:
        """Whether judge and surface metrics are never on show."""
        return not (self.open or self.reveal)

    @property
    def bookmark(self) -> str:
        """The name under which the place in this view is kept."""
        if self.by == "queue":
            return f"score {self.campaign}"
        by = " by language" if self.by == "language" else ""
        campaign = "" if self.campaign is None else f" {self.campaign}"
        return f"compare {self.suite.label} {self.language}{by}{campaign}"

    @property
    def language_criterion(self) -> int | None:
        return self.criteria.index("language") if "language" in self.criteria else None

    @property
    def scope(self) -> ViewScope:
        """The same in the words of the store's questions."""
        return ViewScope(
            suite_id=self.suite.id,
            lead=self.language,
            languages=self.languages or (self.language,),
            keys=tuple(source.key for source in self.sources),
            rater_id=self.rater_id,
            criterion_ids=self.criterion_ids,
            judge_id=self.judge.id if self.judge else None,
            revealed_only=not self.open,
            campaign_id=self.campaign_id,
        )

"""The tables of the store, a class for each word of the field (suite, response, rating ...)."""

from store.tables.columns import BigKey, UtcDateTime, utc_now
from store.tables.journal import (
    CURRENT_COMMENT,
    CURRENT_ERROR_SPAN,
    CURRENT_RATING,
    LEDGER,
    Comment,
    Entry,
    ErrorSpan,
    Rating,
)
from store.tables.people import (
    Assignment,
    Bookmark,
    Campaign,
    Criterion,
    Presentation,
    Rater,
    ReviewerCode,
    Rubric,
    StoreKey,
)
from store.tables.responses import CURRENT_METRIC, Claim, Decoding, Model, Response, SurfaceMetric
from store.tables.suites import Instruction, Suite
from store.tables.work import Failure, JudgeAnswer, JudgeBatch, JudgeBatchItem, Run

__all__ = [
    "CURRENT_COMMENT",
    "CURRENT_ERROR_SPAN",
    "CURRENT_METRIC",
    "CURRENT_RATING",
    "LEDGER",
    "Assignment",
    "BigKey",
    "Bookmark",
    "Campaign",
    "Claim",
    "Comment",
    "Criterion",
    "Decoding",
    "Entry",
    "ErrorSpan",
    "Failure",
    "Instruction",
    "JudgeAnswer",
    "JudgeBatch",
    "JudgeBatchItem",
    "Model",
    "Presentation",
    "Rater",
    "Rating",
    "Response",
    "ReviewerCode",
    "Rubric",
    "Run",
    "StoreKey",
    "Suite",
    "SurfaceMetric",
    "UtcDateTime",
    "utc_now",
]

"""The tables of the store, a class for each word of the field (suite, response, rating ...)."""

from store.tables.campaigns import Assignment, Campaign, ReviewerCode, StoreKey
from store.tables.columns import BigKey, UtcDateTime, utc_now
from store.tables.journal import Comment, Entry, ErrorSpan, Rating
from store.tables.judging import JudgeAnswer, JudgeBatch, JudgeBatchItem
from store.tables.models import Decoding, Model
from store.tables.raters import Bookmark, Presentation, Rater
from store.tables.responses import Claim, Response, SurfaceMetric
from store.tables.rubrics import Criterion, Rubric
from store.tables.runs import Failure, Run
from store.tables.suites import Instruction, Suite
from store.tables.views import CURRENT_COMMENT, CURRENT_ERROR_SPAN, CURRENT_RATING

__all__ = [
    "CURRENT_COMMENT",
    "CURRENT_ERROR_SPAN",
    "CURRENT_RATING",
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

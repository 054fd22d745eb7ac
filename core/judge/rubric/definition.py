"""The criteria that a judge is asked about: the default rubric, or one's own from a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlmodel import Session

from store import UsageError
from store.queries import rubrics

DEFAULT_RUBRIC_FILE = Path(__file__).parent / "default.toml"
DEFAULT_RUBRIC = "six-criteria"

_Name = Annotated[str, Field(pattern=r"^[\w .-]{1,60}$")]


class CriterionText(BaseModel):
    """A criterion: its scale of whole numbers, and what each score means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name
    minimum: int = 0
    maximum: int = 2
    descriptions: dict[int, Annotated[str, Field(min_length=1)]]

    @model_validator(mode="after")
    def _whole(self) -> "CriterionText":
        if not self.minimum < self.maximum <= self.minimum + 20:
            raise ValueError("`maximum` must be above `minimum`, by at most 20")
        scores = set(range(self.minimum, self.maximum + 1))
        if set(self.descriptions) != scores:
            raise ValueError(f"`descriptions` must describe each score from {self.minimum} to {self.maximum}")
        return self

    def stars(self, score: int) -> int:
        """A score as the judge is asked for it: 1 star at least."""
        return score - self.minimum + 1

    @property
    def most_stars(self) -> int:
        return self.stars(self.maximum)


class RubricText(BaseModel):
    """A rubric as written in a file, the form of `store/rubric.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name
    version: _Name
    criteria: Annotated[list[CriterionText], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _distinct(self) -> "RubricText":
        names = [plain_name(criterion.name) for criterion in self.criteria]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two criteria are called {twice!r}")
        return self

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"


def plain_name(name: str) -> str:
    """A criterion's name as it is compared: small letters, one space for whatever separates words."""
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def load_rubric(path: Path | None = None) -> RubricText:
    """The default rubric, or the one in a TOML file. Raises `UsageError` for what is wrong in it."""
    file = path or DEFAULT_RUBRIC_FILE
    try:
        rubric = RubricText.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"The rubric {file} can't be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"The rubric {file} is not TOML: {error}.") from None
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        message = problem["msg"].removeprefix("Value error, ")
        raise UsageError(f"The rubric {file}: {key + ': ' if key else ''}{message}.") from None
    if path is not None and rubric.name == DEFAULT_RUBRIC:
        raise UsageError(f"The rubric {file} has the name of the default one: call it something else.")
    return rubric


def criteria_in_store(session: Session, rubric: RubricText) -> dict[str, int]:
    """The rows of the rubric's criteria by their names; the rubric is written when it is new.

    Raises `UsageError` when the store holds this version with other criteria or texts.
    """
    rows: list[dict[str, Any]] = [
        {
            "name": criterion.name,
            "minimum": criterion.minimum,
            "maximum": criterion.maximum,
            "descriptions": {str(score): text for score, text in criterion.descriptions.items()},
        }
        for criterion in rubric.criteria
    ]
    criteria = rubrics.criteria_of(session, rubrics.rubric_id(session, rubric.name, rubric.version, rows))
    stored = {row.name: (row.minimum, row.maximum, dict(row.descriptions)) for row in criteria}
    if stored != {row["name"]: (row["minimum"], row["maximum"], row["descriptions"]) for row in rows}:
        raise UsageError(
            f"The store holds another rubric under {rubric.label}: give the changed one a new version."
        )
    return {row.name: row.id or 0 for row in criteria}

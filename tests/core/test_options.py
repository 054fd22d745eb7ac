"""Options that are made from the fields of a model."""

from typing import Annotated, Any, Literal

import pytest
import typer
from pydantic import Field, ValidationError
from typer.testing import CliRunner

from core.options import CheckedSettings, Option, Settings, fields_of, sentence_of, with_options
from store import UsageError


class Baking(Settings):
    minutes: int = Field(default=30, ge=1, description="How long ({default}).")
    heat: Annotated[float, Option("--heat-share")] = Field(
        default=1e-5, lt=1, description="Heat ({default})."
    )
    crust: Annotated[bool, Option("--crust/--soft")] = Field(default=True, description="A crust.")
    sort: Annotated[Literal["rye", "wheat"], Option("--rye", sets="rye")] = Field(default="wheat")
    seeds: tuple[str, ...] = Field(default=())
    note: str | None = Field(default=None)
    secret: int = 1


def baked(*arguments):
    app, given_now = typer.Typer(), []

    @app.command()
    @with_options(Baking, leave_out=("secret",))
    def bake(name: str, *, last: int = 0, **given: Any) -> None:
        given_now.append((name, last, given))

    result = CliRunner().invoke(app, list(arguments))
    return result, given_now


def test_a_command_is_given_the_fields_that_were_typed_and_no_others():
    assert baked("loaf")[1] == [("loaf", 0, {})]
    typed = ["loaf", "--minutes", "5", "--heat-share", "0.5", "--soft", "--rye", "--last", "2"]
    assert baked(*typed, "--seeds", "a", "--seeds", "b", "--note", "n")[1] == [
        (
            "loaf",
            2,
            {"minutes": 5, "heat": 0.5, "crust": False, "sort": "rye", "seeds": ["a", "b"], "note": "n"},
        )
    ]


def test_help_has_the_default_and_options_stand_before_the_keyword_only_ones():
    text = baked("--help")[0].output
    assert "How long (30)." in text
    assert "Heat (1e-5)." in text
    assert "--secret" not in text
    order = [text.index(name) for name in ("--minutes", "--heat-share", "--crust", "--rye", "--last")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"minutes": 0}, "`minutes` is 0; it must be at least 1."),
        ({"heat": 1.0}, "`heat` is 1.0; it must be below 1."),
        ({"sort": "oat"}, "No sort 'oat'. There are: rye, wheat."),
        ({"note": 3}, "`note`: Input should be a valid string."),
    ],
)
def test_a_value_out_of_bounds_is_a_sentence(values, sentence):
    with pytest.raises(ValidationError) as caught:
        Baking(**values)
    assert sentence_of(caught.value, Baking) == sentence


def test_defaults_are_shown_and_given_where_a_command_asks_for_them():
    class Mixing(Settings):
        speed: float = Field(default=0.5, description="How fast.")
        salt: int | None = Field(default=None, description="Grams.")

    app, given_now = typer.Typer(), []

    @app.command()
    @with_options(Mixing, show_defaults=True)
    def mix(**given: Any) -> None:
        given_now.append(given)

    assert "How fast. [default: 0.5]" in CliRunner().invoke(app, ["--help"]).output
    CliRunner().invoke(app, [])
    CliRunner().invoke(app, ["--speed", "2", "--salt", "3"])
    assert given_now == [{"speed": 0.5}, {"speed": 2.0, "salt": 3}]
    assert fields_of(Mixing, {"salt": 3, "minutes": 9}) == {"salt": 3}


def test_checked_settings_say_what_is_wrong_in_their_own_words_or_in_those_of_all():
    class Kneading(CheckedSettings):
        sentences = {"times": "Knead it at least once, not {value} times."}  # noqa: RUF012

        times: int = Field(default=2, ge=1)
        minutes: int = Field(default=5, ge=1)

    with pytest.raises(UsageError, match=r"^Knead it at least once, not 0 times\.$"):
        Kneading(times=0)
    with pytest.raises(UsageError, match=r"^`minutes` is 0; it must be at least 1\.$"):
        Kneading(minutes=0)

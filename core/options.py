"""Settings that are defined once: a field of a pydantic model is also the option of a command.

    class Update(Settings):
        steps: int = Field(default=1000, ge=1, description="Updates of the weights ({default}).")
        packed: Annotated[bool, Option("--packed/--padded")] = Field(default=True, description="No padding.")

    @with_options(Update)
    def train(out: Path, **given: Any) -> None: ...

The command has `--steps` and `--packed/--padded` beside `out`, and `given` holds what was typed, checked by
nobody yet: the model checks it. A study file nests the same model, so type, default, bounds and help stand in
one place. A model that code makes too is a `CheckedSettings`: a value out of bounds is a `UsageError`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from types import NoneType
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from store import UsageError


class Settings(BaseModel):
    """A group of settings: a table of the study file, or part of what a command is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CheckedSettings(Settings):
    """Settings that are made by code as well as read from a file.

    `sentences`: by field, what to say of a value out of bounds, with `{value}` for the value (as `str.format`
    takes it: `{value:g}`); without one `sentence_of` says it. Raises `UsageError` for such a value.
    """

    sentences: ClassVar[Mapping[str, str]] = {}

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            problem = error.errors()[0]
            sentence = self.sentences.get(str(problem["loc"][0]), "").format(value=problem["input"])
            raise UsageError(sentence or sentence_of(error, type(self))) from None


@dataclass(frozen=True)
class Option:
    """How a field is typed where it is not `--its-name VALUE`.

    `names`: as typer takes them, `--lr` or `--packed/--padded` (None: the field's name); `sets`: the value
    that the option stands for, for an option that takes none (`--lora` sets `adaptation` to `lora`);
    `metavar`: what stands for the value in the help (`USD`); `show_default`: false where the help says it.
    """

    names: str | None = None
    sets: Any = None
    metavar: str | None = None
    show_default: bool = True


def with_options(
    model: type[BaseModel], *, leave_out: Sequence[str] = (), show_defaults: bool = False
) -> Callable[[Any], Any]:
    """Gives a typer command an option for every field of the model but those left out.

    They stand after the command's positional parameters and before its keyword-only ones. The command takes
    those that were typed as `**given`, by the names of the fields. With `show_defaults` the help ends in
    `[default: 512]`, and `given` holds the fields that were not typed too, with their defaults.
    """
    fields = {name: field for name, field in model.model_fields.items() if name not in leave_out}

    def decorate(command: Any) -> Any:
        @wraps(command)
        def run(**values: Any) -> Any:
            typed = {name: values.pop(name) for name in fields}
            return command(**values, **_given(fields, typed))

        kinds = inspect.Parameter
        own = [p for p in inspect.signature(command).parameters.values() if p.kind is not kinds.VAR_KEYWORD]
        before = [parameter for parameter in own if parameter.kind is not kinds.KEYWORD_ONLY]
        after = [parameter for parameter in own if parameter.kind is kinds.KEYWORD_ONLY]
        made = [_parameter(name, field, show_default=show_defaults) for name, field in fields.items()]
        parameters = [p.replace(kind=kinds.KEYWORD_ONLY) for p in (*before, *made, *after)]
        setattr(run, "__signature__", inspect.Signature(parameters))  # noqa: B010
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def fields_of(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the given values that are fields of a model, where a command has the options of several."""
    return {name: given[name] for name in model.model_fields if name in given}


def sentence_of(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem of settings that a command was given, as a sentence for its user."""
    problem = error.errors()[0]
    name, value, limits = str(problem["loc"][0]), problem["input"], problem.get("ctx", {})
    match problem["type"]:
        case "greater_than_equal":
            return f"`{name}` is {value}; it must be at least {limits['ge']:g}."
        case "greater_than":
            return f"`{name}` is {value}; it must be above {limits['gt']:g}."
        case "less_than":
            return f"`{name}` is {value}; it must be below {limits['lt']:g}."
        case "less_than_equal":
            return f"`{name}` is {value}; it must be at most {limits['le']:g}."
        case "literal_error":
            there = ", ".join(map(str, get_args(model.model_fields[name].annotation)))
            return f"No {name} {value!r}. There are: {there}."
    return f"`{name}`: {problem['msg']}."


def _given(fields: dict[str, FieldInfo], typed: dict[str, Any]) -> dict[str, Any]:
    """The fields whose option was typed, with their values."""
    given = {}
    for name, value in typed.items():
        option = _option(name, fields[name])
        if option.sets is None and value is not None and value != []:
            given[name] = value
        elif option.sets is not None and value:
            given[name] = option.sets
    return given


def _parameter(name: str, field: FieldInfo, *, show_default: bool) -> inspect.Parameter:
    option = _option(name, field)
    flag = option.sets is not None
    shown = show_default and option.show_default and not field.is_required()
    kind = bool if flag else _typed_as(field.annotation)
    if not flag and (field.default is None or not shown):
        kind = kind | None
    help = (field.description or "").replace("{default}", _written(field.default))
    typed = typer.Option(option.names, help=help, metavar=option.metavar)
    annotation = Annotated[kind, typed]  # type: ignore[valid-type]
    default = False if flag else field.default if shown else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _option(name: str, field: FieldInfo) -> Option:
    option = next((entry for entry in field.metadata if isinstance(entry, Option)), Option())
    return option if option.names else replace(option, names="--" + name.replace("_", "-"))


def _typed_as(annotation: Any) -> Any:
    """What typer reads for a field: a word for a choice, and a list for a tuple."""
    choices = [choice for choice in get_args(annotation) if choice is not NoneType]
    if get_origin(annotation) is Literal:
        return type(choices[0])
    if get_origin(annotation) is tuple:
        return list[choices[0]]  # type: ignore[valid-type]
    return annotation if not choices else _typed_as(choices[0])


def _written(default: Any) -> str:
    """A default as people write it: `1000`, `0`, `1e-5`."""
    return f"{default:g}".replace("e-0", "e-") if isinstance(default, float) else str(default)

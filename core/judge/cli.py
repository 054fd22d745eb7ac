"""`xlit-core judge ...`: one command for each kind of judge."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from core.console import JsonOption, LanguagesOption, StoreOption, finish, opened, pairs, show, show_json
from core.judge.llm_judge.estimate import ask_person
from core.judge.llm_judge.settings import DEFAULT_JUDGE, JudgeSettings
from core.options import with_options
from core.progress import say_missing
from store import UsageError

LidOption = Annotated[
    Path | None, typer.Option("--lid", help="fastText model lid.176.bin or .ftz (default: the bundled .ftz).")
]
PromptOption = Annotated[
    Path | None, typer.Option(help="Another prompt, with %%%TASK%%% and %%%SUBMISSION%%%.")
]
LimitOption = Annotated[int | None, typer.Option(help="At most N responses.")]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask without a question about tokens and price.")
]

NO_JUDGE = "Options of a judge need one: name it with --model, --base-url or --checkpoint."

judge_app = typer.Typer(help="Judge the responses in the store.", no_args_is_help=True)


def asks_a_judge(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of `JudgeSettings`; the command gets the `settings` that they make.

    A command whose `settings` may be None gets None when no judge is named.
    """
    own = signature(command).parameters
    optional = own["settings"].default is None
    fields = JudgeSettings.model_fields

    @wraps(command)
    def with_settings(**given: Any) -> None:
        options = {name: given.pop(name) for name in fields if name in given}
        if not optional or any(options.get(name) for name in ("model", "base_url", "checkpoint")):
            command(settings=_settings_of(options), **given)
            return
        if any(value != fields[name].default for name, value in options.items()):
            raise UsageError(NO_JUDGE)
        command(settings=None, **given)

    # What typer reads the options from.
    parameters = [
        parameter.replace(kind=Parameter.KEYWORD_ONLY)
        for name, parameter in own.items()
        if name != "settings"
    ]
    given = Parameter("given", Parameter.VAR_KEYWORD)
    setattr(with_settings, "__signature__", Signature([*parameters, given]))  # noqa: B010
    return with_options(JudgeSettings, show_defaults=True)(with_settings)


def _settings_of(options: dict[str, Any]) -> JudgeSettings:
    if "model" not in options:
        checkpoint = options.get("checkpoint")
        options["model"] = checkpoint.resolve().stem if checkpoint else DEFAULT_JUDGE
    if "batch" not in options and {"batch_size", "poll", "wait"} & set(options):
        raise UsageError("--batch-size, --poll and --no-wait belong to --batch.")
    return JudgeSettings(**options)


@judge_app.command("surface")
def judge_surface(
    languages: LanguagesOption = None,
    dictionaries: Annotated[
        Path | None,
        typer.Option(help="Folder with Hunspell dictionaries (else XLIT_DICTIONARIES, the system's)."),
    ] = None,
    dictionary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LANG=NAME", help="The dictionary of a language by its file name, such as pt=pt_PT."
        ),
    ] = None,
    lid: LidOption = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that measure at once (default: one for each core; this one alone when there "
            "is little to do).",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Identify the language (fastText) and check the spelling (Hunspell) of every response."""
    from core.judge.surface.metrics import judge_surface as judge

    record = judge(
        opened(store),
        languages=languages,
        dictionaries=dictionaries,
        dictionary_names=pairs("--dictionary", dictionary or [], form="LANG=NAME"),
        lid=lid,
        processes=processes,
    )
    finish(record, as_json=as_json)


@judge_app.command("rules")
def judge_rules(
    languages: LanguagesOption = None,
    lid: LidOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score responses to instructions whose right answer is known."""
    from core.judge.known_answers.rater import judge_known_answers as judge

    finish(judge(opened(store), languages=languages, lid=lid), as_json=as_json)


@judge_app.command("relevance")
@asks_a_judge
def judge_relevance(
    settings: JudgeSettings,
    preset: Annotated[
        str | None,
        typer.Option(help="paper: the last 0 or 1 of an answer counts (default: an answer is one digit)."),
    ] = None,
    languages: LanguagesOption = None,
    limit: LimitOption = None,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an LLM say whether each response addresses its task (0 or 1)."""
    from core.judge.relevance import judge_relevance as judge

    record = judge(
        opened(store), settings, preset=preset, languages=languages, limit=limit, agree=ask_person(yes)
    )
    finish(record, as_json=as_json)


@judge_app.command("rubric")
@asks_a_judge
def judge_rubric(
    settings: JudgeSettings,
    prompt: PromptOption = None,
    rubric: Annotated[
        Path | None, typer.Option(help="Another rubric: a TOML file with name, version and criteria.")
    ] = None,
    languages: LanguagesOption = None,
    limit: LimitOption = None,
    repeats: Annotated[
        int, typer.Option(help="Judge every response K times, for the judge's agreement with itself.")
    ] = 1,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an LLM score every response on six criteria, or on those of a rubric of your own."""
    from core.judge.rubric.judge import judge_rubric as judge

    record = judge(
        opened(store),
        settings,
        prompt=prompt,
        rubric=rubric,
        languages=languages,
        limit=limit,
        repeats=repeats,
        agree=ask_person(yes),
    )
    finish(record, as_json=as_json)


@judge_app.command("modifiers")
@asks_a_judge
def judge_modifiers(
    settings: JudgeSettings | None = None,
    languages: LanguagesOption = None,
    lid: LidOption = None,
    limit: LimitOption = None,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check by rule whether responses do what the modifier of their instruction demands (N items, brevity,
    language, Markdown, HTML ...); with a judge (--model or --checkpoint) also what no rule can tell."""
    from core.judge.modifiers.by_llm import judge_modifiers_by_llm
    from core.judge.modifiers.rater import judge_modifiers as judge

    if settings is None and (limit is not None or yes):
        raise UsageError(NO_JUDGE)
    engine = opened(store)
    records = [judge(engine, languages=languages, lid=lid)]
    if settings is not None:
        records.append(
            judge_modifiers_by_llm(engine, settings, languages=languages, limit=limit, agree=ask_person(yes))
        )
    finish(*records, as_json=as_json)


@judge_app.command("calibrate")
def judge_calibrate(
    judge: Annotated[
        str | None, typer.Option(help="Only this judge: NAME, or NAME@VERSION (default: all).")
    ] = None,
    suite: Annotated[
        str | None, typer.Option(help="Only responses to this suite, NAME or NAME/VERSION.")
    ] = None,
    languages: LanguagesOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare judges with people and with themselves: agreement, language bias, length bias."""
    from core.judge.calibrate import calibrate
    from core.report.calibration_tables import calibration_tables

    calibration = calibrate(opened(store), judge=judge, suite=suite, languages=languages)
    if as_json:
        show_json(calibration.as_dict())
    else:
        show(calibration_tables(calibration))


@judge_app.command("injections")
@asks_a_judge
def judge_injections(
    settings: JudgeSettings,
    prompt: PromptOption = None,
    yes: YesOption = False,
    store: Annotated[
        str, typer.Option("--store", help="A store of its own, made when it is not there.")
    ] = "./injections.db",
    as_json: JsonOption = False,
) -> None:
    """Measure how easily a judge is talked into better scores by the response that it judges."""
    from core.judge.injections import effects_table
    from core.judge.injections import judge_injections as judge

    effects = judge(opened(store, create=True), settings, prompt=prompt, agree=ask_person(yes))
    if as_json:
        show_json(effects.as_dict())
    else:
        show(effects_table(effects))
    say_missing(effects.run.failures)
    raise typer.Exit(effects.run.exit_code)

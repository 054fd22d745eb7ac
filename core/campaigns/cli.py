"""`xlit-core campaign ...`: plan who scores what, and watch it being done."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.console import JsonOption, LanguagesOption, StoreOption, opened, show, show_json
from core.progress import say
from core.text.terminal import write_line
from core.text.visible import visible
from store import UsageError

campaign_app = typer.Typer(help="Plan who scores which responses, and watch it.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.")]


@campaign_app.command("create")
def create(
    name: NameArgument,
    reviewers: Annotated[
        list[str],
        typer.Option(
            "--reviewer",
            metavar="NAME[:LANG,LANG]",
            help="Who scores, and in which languages (default: all); may be given several times.",
        ),
    ],
    preset: Annotated[
        str | None,
        typer.Option(help="paper: 30 instructions a language for all models, and all answers of --main."),
    ] = None,
    suites: Annotated[
        list[str] | None,
        typer.Option("--suite", help="Only this suite (default: all); may be given several times."),
    ] = None,
    languages: LanguagesOption = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="Only this model (default: all); may be given several times."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(help="Instructions in each language, spread over the tasks.")
    ] = None,
    per_task: Annotated[int | None, typer.Option(help="Instructions of each task in each language.")] = None,
    keys: Annotated[
        Path | None, typer.Option(help="A file with the keys of the instructions, one a line.")
    ] = None,
    main: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Score all answers of this model besides.")
    ] = None,
    overlap: Annotated[int, typer.Option(help="Reviewers for each response.")] = 1,
    repeats: Annotated[
        int, typer.Option(help="Responses that each reviewer scores a second time (self-agreement).")
    ] = 0,
    min_gap: Annotated[
        int, typer.Option("--apart", help="Least places between the first and the second time.")
    ] = 20,
    checks: Annotated[
        int, typer.Option(help="Responses for each reviewer whose scores are known (attention).")
    ] = 0,
    known: Annotated[
        str, typer.Option(metavar="RATER", help="Whose scores are the known ones.")
    ] = "known-answers",
    seed: Annotated[int, typer.Option(help="Of everything that is drawn and shuffled.")] = 1,
    open_: Annotated[
        bool, typer.Option("--open", help="Show the names of models, judges and metrics to the reviewers.")
    ] = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show judges and metrics once a response is committed.")
    ] = False,
    codes: Annotated[
        bool, typer.Option("--codes", help="Give every reviewer a code; it is shown once, here.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and write nothing.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deal the responses out to reviewers. The same seed and the same responses give the same plan."""
    from core.campaigns.create import CampaignRequest, create_campaign, paper_plan, plan_campaign
    from core.campaigns.plan import PAPER_SAMPLE
    from core.campaigns.tables import plan_tables

    options: dict[str, Any] = {
        "seed": seed,
        "sample": sample,
        "per_task": per_task,
        "keys": _read_keys(keys) if keys else None,
        "main": main,
        "overlap": overlap,
        "repeats": repeats,
        "min_gap": min_gap,
        "checks": checks,
        "known": known,
    }
    if preset is not None:
        if preset != "paper":
            raise UsageError(f"No preset {preset!r}. There is: paper.")
        options = paper_plan(options, PAPER_SAMPLE)
    request = CampaignRequest(
        name, suites or (), languages or (), models or (), reviewers, options,
        blind=not open_, reveal=reveal, codes=codes,
    )  # fmt: skip
    name, engine = request.name, opened(store)
    if dry_run:
        planned, new, new_codes = plan_campaign(engine, request), False, {}
    else:
        created = create_campaign(engine, request)
        planned, new, new_codes = created.planned, created.new, created.codes
    if as_json:
        show_json({"name": name, "new": new, **planned.as_dict(), "codes": new_codes})
        return
    show(plan_tables(name, planned.as_dict()))
    _tell_codes(new_codes)
    if dry_run:
        say("Nothing was written.")
    elif new:
        say(f"Reviewers begin with: xlit-tui score {name} --reviewer NAME")
    else:
        say(f"Campaign {name} was there already, and is the same.")


@campaign_app.command("status")
def status(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The campaign (none: a line for each).")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who has done what, how fast, how long is left, how far they agree, and who is unlike the others."""
    from core.campaigns.progress import campaign_status, list_status
    from core.campaigns.tables import list_table, status_table

    engine = opened(store)
    if name is None:
        campaigns = list_status(engine)
        show_json(campaigns) if as_json else show(list_table(campaigns))
        return
    campaign = campaign_status(engine, name)
    show_json(campaign) if as_json else show(status_table(campaign))


@campaign_app.command("adjudicate")
def adjudicate(
    name: NameArgument,
    reviewer: Annotated[
        str, typer.Option("--reviewer", metavar="NAME[:LANG,LANG]", help="The third reviewer.")
    ],
    by: Annotated[int, typer.Option(help="Least difference in points, on any criterion.")] = 2,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue what two reviewers scored far apart for a third, whose scores are then the final ones."""
    from core.campaigns.adjudicate import adjudicate as settle

    adjudication = settle(opened(store), name, reviewer, by=by)
    if as_json:
        show_json(
            {
                "reviewer": adjudication.reviewer,
                "queued": adjudication.queued,
                "known": adjudication.known,
                "codes": adjudication.codes,
            }
        )
        return
    _tell_codes(adjudication.codes)
    own = f" {adjudication.known} more are in their own queue." if adjudication.known else ""
    say(f"{adjudication.queued} texts queued for {adjudication.reviewer}.{own}")


@campaign_app.command("close")
def close(
    name: NameArgument,
    reopen: Annotated[bool, typer.Option("--reopen", help="Open it again instead.")] = False,
    store: StoreOption = None,
) -> None:
    """End a campaign: nobody scores in it any more, and its reviewers may see each other's scores."""
    from store.queries import campaigns
    from store.session import writing

    with writing(opened(store)) as session:
        campaigns.set_closed(session, campaigns.campaign_named(session, name), not reopen)
    say(f"Campaign {name} is {'open' if reopen else 'closed'}.")


def _read_keys(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"--keys {path} can't be read: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"--keys {path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None
    keys = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not keys:
        raise UsageError(f"--keys {path} names no instruction: give a key on each line.")
    return keys


def _tell_codes(codes: dict[str, str]) -> None:
    for reviewer, code in codes.items():
        write_line(f"{visible(reviewer)}: {code}")
    if codes:
        say("Tell each reviewer their own code; the store keeps none that can be read: note them now.")

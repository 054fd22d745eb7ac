"""The miniature study: everything the program does, in small, without weights, keys or network."""

import os
import sys
from pathlib import Path

from core.judge.llm_judge.estimate import ask_person
from core.progress import say
from core.run import run_study
from core.study import read_study
from store import XlitError, open_store

MINIATURE = Path(__file__).parent / "miniature"
STORE_NAME = "xlit.db"
LANGUAGE = "ru"


def run_demo(folder: Path) -> tuple[int, Path]:
    """Do what is missing of the miniature study in `folder`. Returns (exit code, the store's path)."""
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / STORE_NAME
    study_file = MINIATURE / "study.toml"
    study = read_study(study_file)
    engine = open_store(store, create=True)
    try:
        say(f"The miniature study, in {folder}, in {', '.join(study.languages)}.")
        agree = ask_person(yes=False, needed=False)
        return run_study(study, study_file.parent, folder, engine, agree=agree), store
    finally:
        engine.dispose()


def show_demo(store: Path) -> None:
    """Open the review room on the demo's store; without a terminal, print the same comparison as text."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        room = Path(sys.executable).with_name("xlit-tui")
        if not room.exists():
            raise XlitError(f"No review room at {room}. Install xlit into the environment that runs this.")
        os.execv(room, [str(room), "compare", "--lang", LANGUAGE, "--store", str(store)])
    from core.report.comparison import comparison, plain_text
    from store.queries.suites import find_suite
    from store.session import reading

    engine = open_store(store)
    with reading(engine) as session:
        sys.stdout.write(plain_text(comparison(session, find_suite(session, "miniature"), LANGUAGE)))
    engine.dispose()

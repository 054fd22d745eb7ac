"""Opening a store, reviewing in it, and leaving it."""

from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from store import StoreError, open_store
from store.provenance import record_run
from tui.app import ReviewApp
from tui.review.opening import open_view
from tui.review.saving import NotSaved, reason_of
from tui.review.session import ReviewSession


def review(
    store: str,
    *,
    language: str,
    reviewer: str,
    suite: str | None = None,
    wanted: Sequence[str] = (),
    names_shown: bool = False,
) -> str:
    """Review until the reviewer leaves. Returns a sentence to print afterwards, or "".

    Raises `UsageError` for a language, suite or model without responses, `StoreError` for the store.
    """
    engine = open_store(store)
    try:
        view = open_view(
            engine, language=language, reviewer=reviewer, suite=suite, wanted=wanted, names_shown=names_shown
        )
        parameters = {
            "language": language,
            "suite": view.suite.label,
            "models": list(wanted),
            "reviewer": reviewer,
            "open": names_shown,
        }
        with record_run(engine, "xlit-tui compare", parameters, libraries=["textual"]) as run:
            session = ReviewSession(engine, view, run_id=run.id)
            app = ReviewApp(session)
            app.run(mouse=False)
            sentence = session.close()
        if app.return_code:
            raise StoreError("The review room ended on an error; every score that it showed is saved.")
        return f"The place where you stopped was not saved: {sentence}." if sentence else ""
    except (DBAPIError, NotSaved) as error:
        reason = reason_of(error) if isinstance(error, DBAPIError) else str(error)
        raise StoreError(f"The store could not be written: {reason}. Try again.") from None
    finally:
        engine.dispose()

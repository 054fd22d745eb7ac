"""Which of the store's responses a judge looks at."""

from collections.abc import Sequence

from sqlalchemy import Engine

from core.progress import say
from store.languages import same_languages
from store.queries import responses, surface
from store.session import reading


def chosen_languages(engine: Engine, languages: Sequence[str] | None) -> list[str]:
    """Those of the `languages` in which the store holds responses (default: all), sorted; says a line for
    each that it does not."""
    with reading(engine) as session:
        held = responses.languages_with_responses(session)
    if languages is None:
        return held
    chosen: set[str] = set()
    for code in languages:
        meant = same_languages(code, held)
        if not meant:
            say(f"The store holds no responses to instructions in {code!r}.")
        chosen.update(meant)
    return sorted(chosen)


def expected_among(engine: Engine, languages: Sequence[str]) -> list[str]:
    """The languages in which responses are expected (`store.queries.expected_language`) to the store's
    instructions in these languages, sorted: theirs, and those that modifiers demand."""
    with reading(engine) as session:
        return surface.expected_languages(session, languages)

"""Names of raters, models, suites and campaigns: what nobody can see in them tells no two apart.

trimmed("m1 ")          "m1"
trimmed("m1\u200b")      "m1", without the zero-width space
case_twins(["anna", "Anna", "boris"])    [("Anna", "anna")]
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from sqlmodel import Session, select

from store.tables import Model, Rater, Suite

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt) without joiners and variation selectors.
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff"
)
# They are spelling between letters of some scripts and a style after a symbol; after ASCII they are nothing.
_JOINERS = "\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_UNSEEN = re.compile(rf"[{_IGNORABLE}]|(?<=[\x00-\x7f])[{_JOINERS}]+|[{_JOINERS}]+(?=\s|$)|^[{_JOINERS}]+")
_BLANK = re.compile(r"[^\S\t\n\r\x0b\x0c\x1c-\x1f\x85]")


@lru_cache(maxsize=10_000)
def trimmed(name: str) -> str:
    """A name as the store keeps it: without blanks at its ends and without characters that are not drawn, in
    Unicode's form NFC, and with plain spaces for blanks of any other kind. Control characters stay within a
    name, since they are shown. Raters, models, suites and campaigns are looked up by this form."""
    if name.isascii():
        return name.strip()
    name = unicodedata.normalize("NFC", _BLANK.sub(" ", name))
    while (shorter := _UNSEEN.sub("", name).strip()) != name:
        name = shorter
    return name


def case_twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """The names that differ from another one by case alone, in groups."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(name.casefold(), set()).add(name)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def case_notes(session: Session, names: Iterable[str] | None = None) -> list[str]:
    """A sentence for each group of raters of one kind, of models or of suites in the store whose names differ
    by case alone; with `names`, only for groups that hold one of these."""
    wanted = None if names is None else {trimmed(name).casefold() for name in names}
    kinds: dict[str, list[str]] = {"models": list(session.exec(select(Model.name)))}
    kinds["suites"] = list(session.exec(select(Suite.name)))
    for kind, rater in session.exec(select(Rater.kind, Rater.name)):
        kinds.setdefault(f"raters ({kind})", []).append(rater)
    return [
        f"{', '.join(map(repr, group))} are {len(group)} {kind}: their names differ by case alone."
        for kind, known in kinds.items()
        for group in case_twins(known)
        if wanted is None or group[0].casefold() in wanted
    ]

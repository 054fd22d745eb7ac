"""Right-to-left text in the order in which a terminal has to draw it that knows nothing of directions.

The order is that of the Unicode Bidirectional Algorithm (UAX #9), the letters are the presentation forms of
Arabic, so that they join without the terminal's help. Explicit embeddings and isolates play no part: they
are made visible before a text comes here.
"""

import re
from functools import cache
from typing import Any
from unicodedata import bidirectional, category, mirrored, normalize

import regex
from rich.cells import get_character_cell_size, split_graphemes

# BDSM, mode 8 of RM and SM (ECMA-48, 5th edition). Reset is explicit: the terminal draws each cell where the
# program put it; set is implicit: the terminal orders the text. ECMA-48 starts explicit, but the terminals
# that know the mode (VTE, mintty) start implicit, as "BiDi in Terminal Emulators" recommends
# (terminal-wg.pages.freedesktop.org/bidi, "The escape sequences"): a program that orders its own text
# switches to explicit when it starts and back to implicit when it leaves.
EXPLICIT, IMPLICIT = "\x1b[8l", "\x1b[8h"


def _codes(spaced: str) -> frozenset[str]:
    return frozenset(spaced.split())


# Languages that are written right to left unless their tag names another script (CLDR, likely subtags).
_LANGUAGES = _codes(
    # Arabic and its varieties
    "ar ara arb aao abh abv acm acq acw acx acy adf aeb aec afb ajp apc apd arq ars ary arz auz avl ayh ayl "
    "ayn ayp pga shu ssh "
    # Other languages in Arabic script
    "azb bal bcc bej bft bgn bgp bqi brh chg ckb dcc fa fas per pes prs glk gwc haz hnd hno khw ks kas lah "
    "lki lrc luz mzn ota pnb ps pus pbt pbu pst rhg sd snd sdh skr swb trw ug uig ur urd wni zdj "
    # Hebrew script
    "he heb iw yi yid ji ydd jpr jrb lad "
    # Thaana, Syriac and Aramaic, N'Ko, Mandaic, Samaritan
    "dv div syr syc aii cld tru arc nqo mid myz sam smp"
)
# Languages whose country decides how they are written.
_LANGUAGES_OF_REGIONS = _codes(
    "az-iq az-ir kk-af kk-cn kk-ir ku-iq ku-ir ky-cn pa-pk tg-pk tk-af tk-ir uz-af uz-cn"
)
_SCRIPTS = _codes(
    "adlm arab aran armi avst chrs cprt elym hatr hebr hung khar lydi mand mani mend merc mero narb nbat "
    "nkoo orkh ougr palm phli phlp phnx prti rohg samr sarb sogd sogo syrc syre syrj syrn thaa yezi"
)

# The blocks that are set aside for right-to-left scripts (DerivedBidiClass.txt), and the right-to-left mark.
_RTL_BLOCKS = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)

# The classes that are left for a character without explicit embeddings (UAX #9, from W1 on).
_IMPLICIT_CLASSES = _codes("L R AL EN ES ET AN CS NSM S WS ON")

# UAX #9, BD16: how many brackets may stand open.
_MOST_OPEN_BRACKETS = 63

_ZERO_WIDTH_JOINER = "\u200d"
_ARABIC_LETTERS = regex.compile(r"[\p{L}&&\p{Script=Arabic}]", regex.VERSION1)
# Small waw, small yeh and the disputed end of ayah are no marks, but the reshaper takes them for such.
_RESHAPERS_MARKS = frozenset("\u06e5\u06e6\u08e2")


def is_rtl(language: str) -> bool:
    """Whether a language is written from right to left, by its code (BCP 47; `_` does for `-`).

    A script in the code decides (`az-Arab` is, `ar-Latn` is not), then the language with its region
    (`pa-PK`), then the language. An unknown or empty code is left to right.
    """
    subtags = re.split("[-_]", language.strip().lower())
    for subtag in subtags[1:]:
        if len(subtag) == 1:  # extensions and private use follow
            break
        if len(subtag) == 4 and subtag.isalpha():
            return subtag in _SCRIPTS
        if f"{subtags[0]}-{subtag}" in _LANGUAGES_OF_REGIONS:
            return True
    return subtags[0] in _LANGUAGES


def has_rtl(text: str) -> bool:
    """Whether a strong right-to-left character (class R or AL) is in the text."""
    return any(_bidi_class(match.group()) in ("R", "AL") for match in _RTL_BLOCKS.finditer(text))


def visual(line: str, *, rtl: bool) -> tuple[str, list[int]]:
    """A wrapped line as it is drawn from left to right, and for each of its characters its index in `line`.

    `rtl` is the direction of the paragraph. The order is that of UAX #9, taken for the line alone. Nothing
    is dropped: the indices are a permutation of `range(len(line))`. Marks and other characters without a
    width follow their letter (L3), brackets are mirrored (L4), Arabic letters get the presentation form
    that their neighbours in the line ask for. The line is as many cells wide as before, unless it begins or
    ends with a zero-width joiner: Rich counts no cells for what comes after one.

    Numbers go by the algorithm, and so by the text before them: `2024-05-01` stays as it is after Hebrew or
    Latin, while after Arabic its three groups go from right to left (W2); `3,14` stays everywhere.
    """
    if not rtl and not _RTL_BLOCKS.search(line):
        return line, list(range(len(line)))
    shaped = _shaped(line)
    indices: list[int] = []
    for start, end, level in _visual_order(line, rtl):
        if level % 2:
            shaped[start] = _mirror_image(shaped[start])
        indices.extend(range(start, end))
    return "".join(shaped[index] for index in indices), indices


def _bidi_class(character: str) -> str:
    bidi_class = bidirectional(character)
    if bidi_class:
        return bidi_class if bidi_class in _IMPLICIT_CLASSES else "ON"
    # Unassigned in this Python's Unicode: its block decides.
    return "R" if _RTL_BLOCKS.match(character) else "L"


def _visual_order(line: str, rtl: bool) -> list[tuple[int, int, int]]:
    """The letters of a line with their marks as (start, end, embedding level), from left to right.

    The algorithm sees one character for each letter with its marks: it gives marks the class of their
    letter anyway (W1), and so they are never parted. Marks at the start that have no letter stay there.
    """
    from bidi import algorithm

    base, direction = (1, "R") if rtl else (0, "L")
    spans, _ = split_graphemes(line)
    orphans = spans[:1] if spans and spans[0][2] == 0 else []
    letters: list[dict[str, Any]] = []
    for start, end, _ in spans[len(orphans) :]:
        kind = _bidi_class(line[start])
        letters.append(
            {"ch": line[start], "type": kind, "orig": kind, "level": base, "start": start, "end": end}
        )
    run = {"sor": direction, "eor": direction, "start": 0, "length": len(letters)}
    storage = {"base_level": base, "base_dir": direction, "chars": letters, "runs": [run]}
    algorithm.resolve_weak_types(storage)
    _resolve_brackets(letters, direction)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    algorithm.reorder_resolved_levels(storage, False)
    first = [(start, end, 0) for start, end, _ in orphans]
    return first + [(letter["start"], letter["end"], letter["level"]) for letter in letters]


def _resolve_brackets(letters: list[dict[str, Any]], direction: str) -> None:
    """Give both brackets of a pair one direction (UAX #9, N0), which python-bidi leaves out.

    It is the line's, unless all that is strong within them goes the other way and so does what is strong
    before them.
    """
    for opening, closing in sorted(_bracket_pairs(letters)):
        within = {_strong(letters[index]) for index in range(opening + 1, closing)} - {""}
        if not within:
            continue
        side = direction
        if direction not in within:
            before = (_strong(letters[index]) for index in range(opening - 1, -1, -1))
            side = next(filter(None, before), direction)
        letters[opening]["type"] = letters[closing]["type"] = side


def _strong(letter: dict[str, Any]) -> str:
    """L or R; numbers count as R, all else is empty."""
    return {"L": "L", "R": "R", "EN": "R", "AN": "R"}.get(letter["type"], "")


def _bracket_pairs(letters: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Where brackets that belong together open and close (UAX #9, BD14 to BD16).

    A bracket is what opens or closes (Ps, Pe) and has a mirror image, as BidiBrackets.txt derives it.
    """
    pairs: list[tuple[int, int]] = []
    opened: list[tuple[str, int]] = []
    for index, letter in enumerate(letters):
        character = letter["ch"]
        kind = category(character)
        if kind == "Ps" and (image := _mirror_image(character)) != character:
            if len(opened) == _MOST_OPEN_BRACKETS:
                break
            opened.append((normalize("NFC", image), index))
        elif kind == "Pe":
            closing = normalize("NFC", character)
            for depth in range(len(opened) - 1, -1, -1):
                if opened[depth][0] == closing:
                    pairs.append((opened[depth][1], index))
                    del opened[depth:]
                    break
    return pairs


def _mirror_image(character: str) -> str:
    if not mirrored(character):
        return character
    from bidi.mirror import MIRRORED

    return MIRRORED.get(character, character)


def _shaped(line: str) -> list[str]:
    """The characters of a line, Arabic letters in the form that joins them to their neighbours."""
    shaped = list(line)
    if not _ARABIC_LETTERS.search(line):
        return shaped
    # Letters join across their marks.
    joining = [
        index
        for index, character in enumerate(line)
        if bidirectional(character) != "NSM" and character not in _RESHAPERS_MARKS
    ]
    forms = _reshaper().reshape("".join(line[index] for index in joining))
    # The reshaper lets a joiner do its work and leaves it out.
    remaining = (index for index in joining if line[index] != _ZERO_WIDTH_JOINER)
    for index, form in zip(remaining, forms, strict=True):
        shaped[index] = form
    return shaped


@cache
def _reshaper() -> Any:
    """A reshaper that gives one form for each letter: no ligatures, nothing deleted but joiners."""
    from arabic_reshaper import ArabicReshaper
    from arabic_reshaper.letters import LETTERS_ARABIC

    reshaper = ArabicReshaper(
        {
            "language": "Arabic",
            "delete_harakat": False,
            "delete_tatweel": False,
            "shift_harakat_position": False,
            "support_ligatures": False,
            "support_zwj": True,
            "use_unshaped_instead_of_isolated": False,
        }
    )
    # The ae of Kurdish and Uyghur has no forms of its own, but looks like a heh that joins only to the right.
    letters = LETTERS_ARABIC | {"\u06d5": ("\ufee9", "", "", "\ufeea")}
    reshaper.letters = {letter: forms for letter, forms in letters.items() if _as_wide(letter, forms)}
    return reshaper


def _as_wide(letter: str, forms: tuple[str, ...]) -> bool:
    width = get_character_cell_size(letter)
    return all(get_character_cell_size(form) == width for form in forms if form)

"""Any text as LaTeX that prints just it, in pdfLaTeX as well as in XeLaTeX and LuaLaTeX."""

import re
from functools import cache
from itertools import groupby
from typing import Literal

Script = Literal["plain", "cyrillic", "other"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    # Behind the end of a row these two would be read as a part of it.
    "[": "{[}",
    "*": "{*}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "⟨": r"\textlangle{}",
    "⟩": r"\textrangle{}",
    "…": r"\dots{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "„": r"\quotedblbase{}",
    "«": r"\guillemotleft{}",
    "»": r"\guillemotright{}",
    "·": r"\textperiodcentered{}",
    "°": r"\textdegree{}",
    "\u2212": r"\ensuremath{-}",
    "×": r"\ensuremath{\times}",
    "±": r"\ensuremath{\pm}",
    "≥": r"\ensuremath{\geq}",
    "≤": r"\ensuremath{\leq}",
    "→": r"\ensuremath{\rightarrow}",
    "α": r"\ensuremath{\alpha}",
    "κ": r"\ensuremath{\kappa}",
    "ρ": r"\ensuremath{\rho}",
    "\u00a0": "~",
}

# Character sets whose letters are in the font encodings T1 and T2A.
_LATIN = ("latin-1", "iso8859-2", "iso8859-9")
_CYRILLIC = ("iso8859-5",)
_UKRAINIAN_G = "Ґґ"

# Two of these in a row are printed as one other sign.
_LIGATURES = re.compile(r"-(?=-)|,(?=,)")

# Longer words may be broken without a hyphen.
LONGEST = 18

MACROS: dict[Script, str] = {
    "cyrillic": (
        r"\providecommand{\textcyrillic}[1]"
        r"{{\ifdefined\Umathchar\else\fontencoding{T2A}\selectfont\fi #1}}"
    ),
    "other": r"\providecommand{\otherscript}[2]{\ifdefined\Umathchar#1\else#2\fi}",
}


def escape(text: str) -> str:
    """A visible text (see `visible`) as LaTeX.

    Cyrillic stands in `\\textcyrillic{...}` (babel's own where babel is loaded for Russian). Scripts that
    pdfLaTeX has no letters for stand in `\\otherscript{text}{code points}`; `MACROS` defines both.
    """
    written: list[str] = []
    since_blank = 0
    for script, characters in groupby(text, _script):
        parts: list[str] = []
        run = list(characters)
        for character in run:
            since_blank = 0 if character.isspace() else since_blank + 1
            if since_blank > LONGEST:
                parts.append(r"\hspace{0pt}")
                since_blank = 1
            parts.append(_SPECIAL.get(character, character))
        joined = "".join(parts)
        if script == "cyrillic":
            joined = rf"\textcyrillic{{{joined}}}"
        elif script == "other":
            codes = " ".join(f"U+{ord(character):04X}" for character in run)
            joined = rf"\otherscript{{{joined}}}{{[{codes}]}}"
        written.append(joined)
    return _LIGATURES.sub(r"\g<0>{}", "".join(written))


def macros_of(latex: str) -> list[str]:
    """The definitions that an escaped text needs."""
    needed: dict[str, Script] = {r"\textcyrillic": "cyrillic", r"\otherscript": "other"}
    return [MACROS[script] for macro, script in needed.items() if macro in latex]


@cache
def _script(character: str) -> Script:
    if character in _SPECIAL or " " <= character <= "~":
        return "plain"
    if character.isalpha() and _is_in(character, _LATIN):
        return "plain"
    if character in _UKRAINIAN_G or (character.isalpha() and _is_in(character, _CYRILLIC)):
        return "cyrillic"
    return "other"


def _is_in(character: str, codecs: tuple[str, ...]) -> bool:
    return any(character.encode(codec, "ignore") for codec in codecs)

"""Which characters of a response are prose: code, mathematics, addresses and markup are blanked before it is
measured.

All of it is found by its form, in time linear in the length of the text: fences and inline code, HTML and its
comments, JSON, LaTeX, the marks of chat templates, and lines outside of fences that read as code or as a
formula. Entities of HTML are the characters that they stand for.
"""

import html
import json
import re

# Fences that say what is in them is text to read, whose marks alone are left out.
_TEXT_FENCES = "markdown|md|te?xt|plain(?:text)?|html"

# Every repetition is bounded or can't restart inside its own match: a response is hostile text, and must not
# make the search quadratic.
_NOT_PROSE = re.compile(
    rf"""
      (?m:^[ \t]*(?:```|~~~)[ \t]*(?:{_TEXT_FENCES})[ \t]*$)        # the opening of a fence around text
    | (?s:```.*?(?:```|\Z))                                        # fenced code, also when never closed
    | (?ms:^[ \t]*~~~.*?(?:^[ \t]*~~~|\Z))
    | `[^`\n]+`                                                    # inline code
    | (?:https?://|www\.)[!-~]+                                    # web addresses
    | (?<![\w.+-])[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}})+      # e-mail addresses
    | (?<![\w/.<])~?/(?:[\w.-]{{1,64}}/)+[\w.-]{{0,64}}                # paths of files
    | (?<=\])\([^()\s]{{1,300}}(?:\ "[^"\n]{{0,200}}")?\)             # the address of a Markdown link
    | <\|(?:im_start|start_header_id)\|>[a-z]{{1,20}}               # the marks of chat templates
    | <\|[^|<>\n]{{1,40}}\|> | \[/?INST\] | <</?SYS>>
    | (?is:<(?P<element>script|style|code|pre|math|svg)\b[^<>]{{0,300}}>.*?(?:</(?P=element)\s*>|\Z))
    | (?s:<!--.*?(?:-->|\Z)) | </?[A-Za-z][^<>]{{0,300}}> | <[!?][^<>]{{1,300}}>           # HTML, XML
    | (?s:\$\$.{{1,2000}}?\$\$) | # LaTeX
      \$(?![\s$])(?:[^\s$]{{1,40}}|(?=[^$\n]{{0,200}}[\\^_={{}}])[^$\n]{{1,200}})(?<!\s)\$(?!\d)
    | (?s:\\\(.{{1,1000}}?\\\)) | (?s:\\\[.{{1,2000}}?\\\])
    | (?s:\\begin\{{(?P<environment>[a-z]{{1,20}}\*?)\}}.{{0,2000}}?\\end\{{(?P=environment)\}})
    | \\(?:frac|d?frac|sqrt|sum|prod|int|lim|cdot|times|div|pm|left|right|text|math[a-z]{{2,4}}|begin|end|item
        |le|leq|ge|geq|neq|approx|infty|alpha|beta|gamma|delta|pi|theta|lambda|boxed|(?:sub)*section|textbf
        |textit|emph)(?![A-Za-z])
    """,
    re.VERBOSE,
)

# Whatever the pattern finds has at least one of these.
_SIGNS = ("`", "://", "www.", "@", "<", "~", "](", "/", "$", "\\", "INST")

# Lines that are code or a formula, outside of all fences.
_CODE_LINE = re.compile(
    r"""^[ \t]*+(?:
      (?:def|class)[ ]\w+[ ]?[(:][^\n]*
    | (?:from[ ][\w.]+[ ])?import[ ][\w.*{}, ]+;?
    | (?:\#include|\#define|\#!|//|/\*|\*/|>>>[ ]|\$[ ]\w)[^\n]*
    | (?:using[ ]namespace|package)[ ][\w.]+;
    | @?(?:public|private|protected|static|const|let|var|final|int|float|double|char|void|String|bool|boolean
        |function|func|fn)[ ][\w<>\[\],.*& ]{0,80}[=({][^\n]*[;{})]
    | (?:if|for|while|switch|catch|elif|else[ ]if|\}[ ]?else[ ]if)[ ]?\([^\n]*\)[ ]?\{?
    | (?:if|elif|while)[ ][^\n]{0,200}(?:[=!<>]=|[\w\]]\(|__|[ ][<>][ ]|[ ]not[ ]in[ ])[^\n]*:
    | for[ ]\w+(?:,[ ]?\w+)*[ ]in[ ]\w+[.(\[][^\n]*:(?:[ ][^\n]*)?
    | (?:try|else|finally|while[ ]True|except(?:[ ]\w+)?(?:[ ]as[ ]\w+)?):
    | return[ ](?:[^\n]*[;)\]]|\w+(?:[ ]?[-+*/%][ ]?\w+)?)
    | (?:print|printf|console\.log|System\.out\.print(?:ln)?|echo|puts|std::cout|cout)[ ]?[(<"][^\n]*
    | [A-Za-z_][\w.\[\]'"]{0,80}[ ]?(?:[-+*/|]?=|:=)(?!=)[^\n]*
    | [A-Za-z_][A-Za-z0-9_.]{0,80}\([^\n]*\);?
    | SELECT\b[^\n]*
    | (?:INSERT[ ]INTO|CREATE[ ]TABLE|UPDATE[ ]\w+[ ]SET|DELETE[ ]FROM|(?:ALTER|DROP)[ ]TABLE|FROM|WHERE
        |(?:ORDER|GROUP)[ ]BY|(?:INNER|LEFT|RIGHT|OUTER)[ ]JOIN)[ ][^\n]*
    | [^\n]{0,200}[A-Za-z0-9_\]]\([^\n]{0,200}\)[ ]?[;{]
    | "[\w $.-]{1,60}":[ ][^\n]*
    | [{}\[\]();,]+
    | (?:sudo|pip3?|npm|npx|apt-get|docker|kubectl|git[ ](?:clone|add|commit|push|pull))[ ][a-z-][^\n]*
    | (?=[^\n]{0,200}[=≤≥≈])(?:(?![^\W\d_]{3})[^\n])+
    )[ \t]*\r?$""",
    re.VERBOSE | re.MULTILINE,
)
_CODE_SIGNS = re.compile(
    r"[={}<>≈≤≥\[\]]|//|\w\(|[A-Z]{4} |#|\*/|:$|import |return |print|^\s*(?:sudo|pip|npm|git|\$) ",
    re.MULTILINE,
)

_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6});".replace("\\#", "#"))

# Joins the letters on both sides to one word, and is seen by no dictionary and no model.
FILLER = "\u2060"
_JOINING = "'’ʼ＇-‐‑"

# The longest aside (a term, a title, a short quotation) in characters; what is longer is a passage.
ASIDE = 80
_OPENING, _CLOSING = '([（【«‹“„„‘「『《〈"', ')]）】»›”“”’」』》〉"'
_ASIDES = re.compile(
    "|".join(
        rf"{re.escape(opening)}[^{re.escape(opening + closing)}\n]{{1,{ASIDE}}}{re.escape(closing)}"
        for opening, closing in zip(_OPENING, _CLOSING, strict=True)
    )
)

_OPENERS = frozenset(_OPENING)
# Without the closing mark that is an apostrophe too.
_MARKS = frozenset(_OPENING + _CLOSING) - {"’"}
_NO_MARKS = str.maketrans(dict.fromkeys(_MARKS, " "))


def blank_code(text: str) -> str:
    """The text with what is no prose turned into spaces, one for each character, so that offsets in the
    result are offsets in `text`. An entity is the character that it stands for, with as many fillers
    (`FILLER`, or spaces beside what is no letter) as it is longer."""
    if "&" in text:
        text = _ENTITY.sub(_decoded, text)
    if text[:1] in "{[ \n" and _is_json(text):
        return " " * len(text)
    if any(sign in text for sign in _SIGNS):
        text = _NOT_PROSE.sub(_blank, text)
    if _CODE_SIGNS.search(text):
        text = _CODE_LINE.sub(_blank, text)
    return text


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _decoded(match: re.Match[str]) -> str:
    character = html.unescape(match[0])
    missing = len(match[0]) - len(character)
    if character.isspace() or not missing:
        return " " * len(match[0])
    if character.isalpha():
        return character + FILLER * missing
    return (FILLER if character in _JOINING else " ") * missing + character


def _is_json(text: str) -> bool:
    """Whether the whole text is an array or object of JSON."""
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("{}", "[]"):
        return False
    try:
        json.loads(stripped)
    except (ValueError, RecursionError):
        return False
    return True


def blank_asides(text: str) -> str:
    """The text with what stands in brackets or quotation marks turned into spaces, one for each character:
    at most `ASIDE` of them, on one line and with no such mark of the same kind inside."""
    if _OPENERS.isdisjoint(text):
        return text
    return _ASIDES.sub(lambda match: f"{match[0][0]}{' ' * (len(match[0]) - 2)}{match[0][-1]}", text)


def without_marks(text: str) -> str:
    """The text with spaces for brackets and quotation marks, as `«` alone looks like French to a model."""
    return text if _MARKS.isdisjoint(text) else text.translate(_NO_MARKS)


def has_letters(text: str) -> bool:
    """Whether there is at least one letter of any script."""
    return any(map(str.isalpha, text))

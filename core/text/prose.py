"""Which characters of a response are prose: code, addresses and markup are blanked before it is measured."""

import re

# Every repetition is bounded or can't restart inside its own match: a response is hostile text, and must not
# make the search quadratic.
_NOT_PROSE = re.compile(
    r"""
      (?s:```.*?(?:```|\Z))                                        # fenced code, also when never closed
    | `[^`\n]+`                                                    # inline code
    | (?:https?://|www\.)[!-~]+                                    # web addresses
    | (?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+      # e-mail addresses
    | </?[A-Za-z][^<>]{0,300}>                                     # HTML tags
    | &(?:[A-Za-z]{2,8}|\#\d{1,6});                                # HTML entities
    """,
    re.VERBOSE,
)

# Whatever the pattern finds has at least one of these.
_SIGNS = ("`", "://", "www.", "@", "<", "&")

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
    """The text with code blocks, inline code, URLs, e-mail addresses, HTML tags and entities turned into
    spaces, one for each character, so that offsets in the result are offsets in `text`."""
    if not any(sign in text for sign in _SIGNS):
        return text
    return _NOT_PROSE.sub(lambda match: " " * len(match[0]), text)


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


def prose_of(text: str, blanked: str | None = None) -> str:
    """The text with code, addresses and markup turned into spaces (`blank_code`, or `blanked`
    when that is known), or the text itself when no letter is left then."""
    prose = blank_code(text) if blanked is None else blanked
    return prose if has_letters(prose) else text

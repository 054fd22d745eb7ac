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


def blank_code(text: str) -> str:
    """The text with code blocks, inline code, URLs, e-mail addresses, HTML tags and entities turned into
    spaces, one for each character, so that offsets in the result are offsets in `text`."""
    return _NOT_PROSE.sub(lambda match: " " * len(match[0]), text)


def has_letters(text: str) -> bool:
    """Whether there is at least one letter of any script."""
    return any(character.isalpha() for character in text)

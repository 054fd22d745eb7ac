r"""The marks that items of a list begin with, line by line.

Numbers: `1.` `1)` `(1)` `1:` `1 -` `1\.` `№ 1.` `①` `1️⃣`, also bold or in a heading (`## 1. X`, `**1.** X`)
or after a bullet; a word with a number (`Option 1: X`, or `Option 1` on a line of its own); letters `a)`.
Bullets: `- * + • – — → -->` and the like.
"""

import re
from dataclasses import dataclass

# They are tried in this order, so that `-->` is not taken for `-`.
_ARROW = r"[-–—]{1,2}>|[-–—]{1,2}&gt;|=>|[→⟶➔➜➝➞➤⇒►▶]"
_BULLET = re.compile(
    rf"(?P<sign>{_ARROW}|[•·●○◦▪■□▫◆◇★☆✓✔✅✗‣⁃∙❖»]|[-*+–—−~](?=\s)|-(?=[^\W\d_]|[\"«„“*]))️?\s*"
)
_NUMBER = re.compile(
    r"""
    (?P<heading>\#{1,6}\s+)?[*_]{0,3}
    (?: (?P<circled>[①-⑳❶-❿])
      | (?:№\s{0,3}|\#)?\(?(?P<digits>[0-9]{1,3})
        (?: \ufe0f?\u20e3 | [*_]{0,3}(?: \\?[.)）、．](?!\d) | :(?=\s|\Z) | \s?[-–—]\s(?!\d) ) )
      | [^\W\d_]{1,15}\s{1,3}(?:№\s{0,3}|\#)?(?P<worded>[0-9]{1,3})[*_]{0,3}\s{0,3}
        (?: [:.)–—-](?!\d) | \Z )
      | (?P<letter>[^\W\d_])\)
    )[*_]{0,3}\s*
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(r"(?:>[ ]?){1,9}(?=\S)")
TAB = 4


@dataclass(frozen=True)
class Mark:
    """The mark of an item: `kind` is `number`, `heading`, `worded`, `letter` or the bullet itself; `indent`
    in columns; `rest` what follows it on the line."""

    kind: str
    number: int | None
    indent: int
    rest: str

    @property
    def is_bullet(self) -> bool:
        return self.kind not in ("number", "heading", "worded", "letter")


def read_mark(line: str) -> Mark | None:
    """The mark that a line begins with, or None."""
    expanded = line.lstrip()
    indent = sum(TAB if character == "\t" else 1 for character in line[: len(line) - len(expanded)])
    quoted = _QUOTED.match(expanded)
    body = expanded[quoted.end() :] if quoted else expanded
    bullet = _BULLET.match(body)
    number = _numbered(body[bullet.end() :], indent) if bullet else None
    if number is not None and (number.rest or number.kind != "worded"):  # `- Windows 95` is a bullet
        return number
    if bullet:
        return Mark(bullet["sign"], None, indent, body[bullet.end() :])
    return _numbered(body, indent)


def _numbered(body: str, indent: int) -> Mark | None:
    match = _NUMBER.match(body)
    if match is None:
        return None
    rest = body[match.end() :]
    if match["letter"]:
        return Mark("letter", None, indent, rest)
    if match["circled"]:
        circled = ord(match["circled"])
        return Mark("number", circled - (0x245F if circled < 0x2500 else 0x2775), indent, rest)
    kind = "heading" if match["heading"] else "worded" if match["worded"] else "number"
    return Mark(kind, int(match["worded"] or match["digits"]), indent, rest)

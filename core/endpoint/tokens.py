"""How many tokens a text is about, without the tokenizer of a model that may be anybody's."""

import re
from math import ceil

# Characters in a token, by kind: what byte-pair tokenizers of about 100,000 entries make of everyday text,
# roughly. Good for a price before a run; nothing depends on it.
_ASCII, _LETTER, _IDEOGRAPH = 4.0, 2.2, 0.9

_IDEOGRAPHS = re.compile("[\u0e00-\u0fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")


def about_tokens(text: str) -> int:
    """About how many tokens a text is: 4 ASCII characters, 2.2 other letters, or 0.9 of a script without
    spaces make one."""
    ideographs = len(_IDEOGRAPHS.findall(text))
    plain = len(text.encode("ascii", "ignore"))
    others = len(text) - ideographs - plain
    return ceil(plain / _ASCII + others / _LETTER + ideographs / _IDEOGRAPH)

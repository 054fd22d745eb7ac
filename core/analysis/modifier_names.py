"""What modifiers are called: the names in the `.types` files of the paper's release, those of its table 1,
and plain English ones. A name that is none of them is nobody's to guess."""

import re
from dataclasses import dataclass

# Group as in table 1 of the paper (arXiv 2402.14778) -> its names, the one of the `.types` files first.
# Hyphens and spaces inside a name are read as `_`.
NAMES = {
    "short": ("short", "brief", "briefly"),
    "long": ("long", "detailed"),
    "num_items": ("num_items", "items", "n_items"),
    "lang": ("lang", "language"),
    "markdown": ("markdown_template", "markdown", "md"),
    "html": ("html_template", "html", "html_page"),
    "arrow": ("arrow_template", "arrow", "arrows"),
    "cap": ("cap_template", "cap", "caps", "capitals", "capitalise", "capitalize"),
    "scientific": ("scientific_style", "scientific"),
    "simple": ("simple_style", "simple", "simple_words"),
    "two-hop": ("complex_inst", "two_hop", "twohop"),
}
MOST_ITEMS = 100

_GROUP_OF = {name: group for group, names in NAMES.items() for name in names}
_WITH_PARAMETER = ("num_items", "lang")
_ITEMS = re.compile(rf"(?:{'|'.join(NAMES['num_items'])})_0*([1-9][0-9]{{0,2}})")
_LANGUAGE = re.compile(rf"(?:{'|'.join(NAMES['lang'])})_([a-z]{{2,3}})")
_LOCALE = re.compile(rf"({_LANGUAGE.pattern})_[a-z0-9]{{2,8}}")
_LONGEST_NAME = 3


@dataclass(frozen=True)
class ModifierName:
    """One modifier: its group and, for `num_items` and `lang`, how many items or which language (a code)."""

    group: str
    parameter: str | None = None

    @property
    def canonical(self) -> str:
        """The name as in the `.types` files: `num_items_6`, `lang_ru`, `html_template`."""
        name = NAMES[self.group][0]
        return name if self.parameter is None else f"{name}_{self.parameter}"


def read_names(text: str) -> list[ModifierName] | None:
    """The modifiers that `text` names, each once: one, or several joined by spaces, commas, semicolons, `+`
    or `&`, in any case. None when any part of it is no name of a modifier, or when there is nothing."""
    modifiers: list[ModifierName] = []
    for joined in re.split(r"[,;+&]", text.casefold()):
        tokens = [token.strip("_") for token in joined.replace("-", "_").split()]
        index = 0
        while index < len(tokens):
            # The longest name first: `two hop` is one modifier.
            for length in range(min(_LONGEST_NAME, len(tokens) - index), 0, -1):
                name = _read("_".join(tokens[index : index + length]), alone=length == 1)
                if name is not None:
                    break
            else:
                return None
            modifiers.append(name)
            index += length
    return list(dict.fromkeys(modifiers)) or None


def group_of(modifier: str) -> str:
    """The group that responses to a modifier are counted in: that of table 1, several joined by ` + `; what
    is no known name is a group of its own."""
    names = read_names(modifier)
    return modifier if names is None else " + ".join(dict.fromkeys(name.group for name in names))


def known_names() -> str:
    """The names there are, for a message: `short, long, num_items_N, lang_XX, ...`."""
    forms = {"num_items": "num_items_N", "lang": "lang_XX"}
    return ", ".join(forms.get(group, names[0]) for group, names in NAMES.items())


def _read(token: str, *, alone: bool) -> ModifierName | None:
    group = _GROUP_OF.get(token)
    if group is not None and group not in _WITH_PARAMETER:
        return ModifierName(group)
    if (items := _ITEMS.fullmatch(token)) and int(items[1]) <= MOST_ITEMS:
        return ModifierName("num_items", items[1])
    if language := _LANGUAGE.fullmatch(token):
        return ModifierName("lang", language[1])
    if alone and (locale := _LOCALE.fullmatch(token)):  # `lang_pt_BR`; but `lang_ru long` is two modifiers
        return ModifierName("lang", locale[2])
    return None

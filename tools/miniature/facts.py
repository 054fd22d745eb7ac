"""Facts with known answers in English, French, Portuguese and Russian.

Country, currency, language, continent, month and day names come from the Unicode CLDR through Babel,
numbers in words from num2words. Only well-known countries with one legal-tender currency and one
official language are kept, and only those whose CLDR names fit the sentences of ``wordings/`` without
further inflection.
"""

from dataclasses import dataclass
from functools import cache

LANGUAGES = ("en", "fr", "pt", "ru")

# ISO 3166 codes by continent. Left out on purpose: countries with several official languages or currencies,
# plural names ("the Netherlands"), and names that CLDR writes in an unusual form ("Республика Корея").
COUNTRIES_BY_CONTINENT: dict[str, tuple[str, ...]] = {
    "europe": ("FR", "DE", "IT", "ES", "PT", "PL", "HU", "RO", "GR", "SE", "DK", "GB", "RU", "AT"),
    "asia": ("JP", "CN", "TH", "VN", "ID", "IR", "SA", "MN"),
    "africa": ("EG", "LY", "GH", "ET", "AO", "MZ"),
    "north_america": ("MX", "CU", "GT", "CR", "JM"),
    "south_america": ("BR", "AR", "CL", "CO", "VE", "UY"),
}
CONTINENT_CODES = {  # UN M49
    "europe": "150",
    "asia": "142",
    "africa": "002",
    "north_america": "003",
    "south_america": "005",
}
# "in Europe": Russian needs the prepositional case, which CLDR does not hold.
CONTINENT_PREPOSITIONAL_RU = {
    "europe": "Европе",
    "asia": "Азии",
    "africa": "Африке",
    "north_america": "Северной Америке",
    "south_america": "Южной Америке",
}

_MASCULINE_IN_E_FR = {"Mexique", "Mozambique"}
_NO_ARTICLE_FR = {"Cuba"}
_NO_ARTICLE_PT = {"Portugal", "Cuba", "Angola", "Moçambique", "Gana"}
_FEMININE_CURRENCY_HEADS = {"livre", "couronne", "roupie", "libra", "coroa", "rupia"}
_ELIDED_BEFORE_FR = "aeiouéèêôAEIOUÉÈÊÔ"  # not before y: "le yen", "le yuan"


@dataclass(frozen=True)
class Country:
    """One country in one language. ``the`` and ``of`` carry the article: "la France", "de la France"."""

    code: str
    name: str
    the: str
    of: str
    currency: str
    the_currency: str
    language: str
    the_language: str
    continent: str


@cache
def _locale(language: str):
    from babel import Locale

    return Locale(language)


def _with_article_fr(noun: str, feminine: bool) -> str:
    if noun[0] in _ELIDED_BEFORE_FR:
        return f"l'{noun}"
    return f"{'la' if feminine else 'le'} {noun}"


def _country_phrases(name: str, language: str) -> tuple[str, str]:
    """``(the, of)`` of a country's name."""
    if language == "en":
        the = f"the {name}" if name == "United Kingdom" else name
        return the, f"of {the}"
    if language == "fr":
        if name in _NO_ARTICLE_FR:
            return name, f"de {name}"
        feminine = name.split()[0].endswith("e") and name not in _MASCULINE_IN_E_FR
        the = _with_article_fr(name, feminine)
        return the, f"du {name}" if the.startswith("le ") else f"de {the}"
    if language == "pt":
        if name in _NO_ARTICLE_PT:
            return name, f"de {name}"
        article = "a" if name.split()[0].endswith("a") else "o"
        return f"{article} {name}", f"d{article} {name}"
    return f"страна {name}", f"страны {name}"


def _currency_phrases(code: str, language: str) -> tuple[str, str]:
    """``(name, name with article)`` of a currency in the singular, in the case used mid-sentence."""
    from babel.numbers import get_currency_name

    name = get_currency_name(code, count=1, locale=language)
    if language == "en":
        return name, f"the {name}"
    if language == "ru":
        return name, name
    name = name[0].lower() + name[1:]
    feminine = name.split()[0] in _FEMININE_CURRENCY_HEADS
    if language == "fr":
        return name, _with_article_fr(name, feminine)
    return name, f"{'a' if feminine else 'o'} {name}"


@cache
def country(code: str, language: str) -> Country:
    """The facts about the country ``code`` in ``language``; ValueError if CLDR no longer gives one answer."""
    from babel.languages import get_official_languages
    from babel.numbers import get_territory_currencies

    currencies = get_territory_currencies(code)
    spoken = get_official_languages(code, de_facto=True)
    if len(currencies) != 1 or len(spoken) != 1:
        raise ValueError(f"{code} has {currencies} and {spoken}: not one currency and one language")
    locale = _locale(language)
    name = locale.territories[code]
    the, of = _country_phrases(name, language)
    currency, the_currency = _currency_phrases(currencies[0], language)
    tongue = locale.languages[spoken[0]]
    the_tongue = {"fr": _with_article_fr(tongue, False), "pt": f"o {tongue}"}.get(language, tongue)
    continent = next(key for key, codes in COUNTRIES_BY_CONTINENT.items() if code in codes)
    return Country(code, name, the, of, currency, the_currency, tongue, the_tongue, continent)


def country_codes() -> list[str]:
    """Every country used, in a fixed order."""
    return [code for codes in COUNTRIES_BY_CONTINENT.values() for code in codes]


def continent(key: str, language: str) -> str:
    """The continent's name: "South America"."""
    return _locale(language).territories[CONTINENT_CODES[key]]


def in_continent(key: str, language: str) -> str:
    """The continent after the preposition: "in Europe", "na Europa", "в Европе"."""
    if language == "ru":
        return f"в {CONTINENT_PREPOSITIONAL_RU[key]}"
    return {"en": "in", "fr": "en", "pt": "na"}[language] + " " + continent(key, language)


def currency_forms(code: str, language: str) -> list[str]:
    """Accepted names of a country's currency: in full, and its noun where no other currency shares it."""
    full = country(code, language).currency
    shared = [country(other, language).currency for other in country_codes()]
    heads = [word for word in full.split() if all(word not in c.split() for c in shared if c != full)]
    head_position = -1 if language in ("en", "ru") else 0
    head = full.split()[head_position]
    return [full] if head == full or head not in heads else [full, head]


def month(index: int, language: str) -> str:
    """The month's name in the nominative; ``index`` 0 (January) to 11, taken modulo 12."""
    return _locale(language).months["stand-alone"]["wide"][index % 12 + 1]


def month_genitive(index: int, language: str) -> str:
    """The month after "after" and "before": CLDR's format form, which is the genitive in Russian."""
    return _locale(language).months["format"]["wide"][index % 12 + 1]


def day(index: int, language: str) -> str:
    """The weekday's name in the nominative; ``index`` 0 (Monday) to 6, taken modulo 7."""
    return _locale(language).days["stand-alone"]["wide"][index % 7]


DAYS_GENITIVE_RU = ("понедельника", "вторника", "среды", "четверга", "пятницы", "субботы", "воскресенья")
DAYS_ACCUSATIVE_RU = ("понедельник", "вторник", "среду", "четверг", "пятницу", "субботу", "воскресенье")


def day_genitive(index: int, language: str) -> str:
    """The weekday after "after" and "before"."""
    return DAYS_GENITIVE_RU[index % 7] if language == "ru" else day(index, language)


def day_accusative(index: int, language: str) -> str:
    """The weekday as an object."""
    return DAYS_ACCUSATIVE_RU[index % 7] if language == "ru" else day(index, language)


def on_day(index: int, language: str) -> str:
    """The weekday as a date: "on Friday", "vendredi", "na sexta-feira", "в пятницу"."""
    name = day_accusative(index, language)
    if language == "ru":
        return f"{'во' if name == 'вторник' else 'в'} {name}"
    if language == "pt":
        return f"{'no' if index % 7 >= 5 else 'na'} {name}"
    return f"on {name}" if language == "en" else name


@cache
def words(number: int, language: str) -> str:
    """A whole number in words (cardinal, masculine)."""
    from num2words import num2words

    return num2words(number, lang="pt_BR" if language == "pt" else language)


def word_forms(number: int, language: str) -> list[str]:
    """Accepted spellings of a number in words: with spaces and with hyphens."""
    written = words(number, language)
    forms = [written, written.replace("-", " "), written.replace(" ", "-")]
    return list(dict.fromkeys(forms))


def enumeration(items: list[str], language: str) -> str:
    """ "a, b and c" in ``language``."""
    joint = {"en": "and", "fr": "et", "pt": "e", "ru": "и"}[language]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {joint} {items[-1]}"

"""What languages are called: one function each for comparing codes, for storing them, and for finding them.

Codes come as BCP 47 (`pt-BR`), with an underscore, as ISO 639-1 (`pt`), 639-2 (`por`, bibliographic `fre`),
639-3 (`nob`), and as labels of identifiers with a script (`rus_Cyrl`: FLORES-200, GlotLID, OpenLID).

* `normal_language` gives the bare code of a language, for comparing: the shortest one of ISO 639, and for the
  members of a macro-language that identifiers do not keep apart, that language (`nb` and `nn` are `no`, `arb`
  is `ar`, `cmn` is `zh`). Members that `lid.176` tells apart stay: `arz`, `yue`, `hr`.
* `language_tag` gives the code that a store holds: the same language in its shortest code, with the country,
  and with the script where the language is written in several.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

# ISO 639-1 with 639-3, and where the bibliographic code of 639-2 differs, that.
_ISO_639 = """
aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul
bi:bis bm:bam bn:ben bo:bod:tib br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces:cze cu:chu cv:chv
cy:cym:wel da:dan de:deu:ger dv:div dz:dzo ee:ewe el:ell:gre en:eng eo:epo es:spa et:est eu:eus:baq
fa:fas:per ff:ful fi:fin fj:fij fo:fao fr:fra:fre fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau
he:heb hi:hin ho:hmo hr:hrv ht:hat hu:hun hy:hye:arm hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido
is:isl:ice it:ita iu:iku ja:jpn jv:jav ka:kat:geo kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor
kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav
mg:mlg mh:mah mi:mri:mao mk:mkd:mac ml:mal mn:mon mr:mar ms:msa:may mt:mlt my:mya:bur na:nau nb:nob nd:nde
ne:nep ng:ndo nl:nld:dut nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli
pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron:rum ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag sh:hbs
si:sin sk:slk:slo sl:slv sm:smo sn:sna so:som sq:sqi:alb sr:srp ss:ssw st:sot su:sun sv:swe sw:swa ta:tam
te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr
ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho:chi zu:zul
"""

# Codes that were withdrawn, and other names of the same language.
_OTHER_NAMES = "iw:he in:id ji:yi jw:jv mo:ro mol:ro scc:sr scr:hr fil:tl bih:bh"

# Members of a macro-language by the code that the identifiers have for it.
_MEMBERS = """
no:nb no:nn ar:arb zh:cmn az:azj fa:pes fa:prs ms:zsm sw:swh lv:lvs et:ekk mn:khk ne:npi or:ory mg:plt uz:uzn
yi:ydd om:gaz ps:pbt ps:pbu qu:quz qu:quy ay:ayr ku:kmr ak:tw kr:knc gn:gug ff:fuv sc:src kv:kpv bxr:bua
mhr:chm bcl:bik gom:kok gom:knn pnb:lah diq:zza als:gsw
"""

# The label of lid.176 and Wikipedia for Alemannic is the code of Tosk Albanian in ISO 639-3, which is meant
# where a script stands with it.
_WITH_SCRIPT = {"als": "sq"}

# Languages that are written in several scripts: the script stays a part of their tag.
_SEVERAL_SCRIPTS = frozenset(
    code
    for codes in ("az bm bs crh ha kk ks ku mn ms", "pa sd sh sr tk tt uz yue zh")
    for code in codes.split()
)


def _pairs(table: str) -> dict[str, str]:
    return {
        other: first for line in table.split() for first, *others in [line.split(":")] for other in others
    }


_SHORTEST = _pairs(_ISO_639) | dict(pair.split(":") for pair in _OTHER_NAMES.split())
_MACRO = _pairs(_MEMBERS)


@lru_cache(maxsize=4096)
def normal_language(code: str) -> str:
    """The bare, lower-case code of a language, as languages are compared: `pt_BR`, `por` and `por_Latn` give
    `pt`, `nb` and `nno` give `no`."""
    primary = _subtags(code)[0]
    return _MACRO.get(primary, primary)


@lru_cache(maxsize=4096)
def language_tag(code: str) -> str:
    """The code that a store holds for a language, as BCP 47 writes it: `rus` and `rus_Cyrl` give `ru`,
    `pt_br` gives `pt-BR`, `zho_Hant` gives `zh-Hant`, `nob` gives `nb`."""
    primary, *others = _subtags(code)
    kept = []
    for subtag in others:
        if _is_script(subtag):
            if primary in _SEVERAL_SCRIPTS:
                kept.append(subtag.title())
        else:
            kept.append(subtag.upper() if len(subtag) == 2 else subtag)
    return "-".join([primary, *kept])


def stored_language(code: str, held: Iterable[str]) -> str:
    """The code under which a store that holds these codes keeps a language: one of them that has the same tag
    (the code itself before others), else the tag."""
    same = [other for other in held if language_tag(other) == language_tag(code)]
    return code if code in same else min(same, default=language_tag(code))


def same_languages(asked: str, held: Iterable[str]) -> list[str]:
    """Which of the codes `held` are meant by the code `asked`, in their order: the code itself; else those
    with the same tag; else, for a code without country and script, those of the same language."""
    codes = list(held)
    rules: list[Callable[[str], str]] = [str, language_tag]
    if "-" not in language_tag(asked):
        rules.append(normal_language)
    for rule in rules:
        meant = [code for code in codes if rule(code) == rule(asked)]
        if meant:
            return meant
    return []


def _subtags(code: str) -> list[str]:
    """The shortest code of the language, and the other parts as they are written."""
    primary, *others = code.strip().partition(".")[0].replace("_", "-").split("-")
    primary = primary.lower()
    if primary == "zh" and others and others[0].lower() in ("yue", "wuu", "cmn"):  # an extended language
        primary, *others = others
    if others and _is_script(others[0]) and primary in _WITH_SCRIPT:
        return [_WITH_SCRIPT[primary], *others]
    return [_SHORTEST.get(primary, primary), *others]


def _is_script(subtag: str) -> bool:
    """Whether a part of a code is a script of ISO 15924: four letters."""
    return len(subtag) == 4 and subtag.isalpha()

"""Languages by the codes of translation models: NLLB's, M2M100's, mBART's, MADLAD's and Opus-MT's."""

import re
from collections.abc import Mapping

# ISO 639-1 code (or 639-3 where there is none), NLLB's code (FLORES-200, of several scripts the usual one),
# English name.
_TABLE = """
af afr_Latn Afrikaans; am amh_Ethi Amharic; ar arb_Arab Arabic; as asm_Beng Assamese;
az azj_Latn Azerbaijani; be bel_Cyrl Belarusian; bg bul_Cyrl Bulgarian; bn ben_Beng Bengali;
bs bos_Latn Bosnian; ca cat_Latn Catalan; cs ces_Latn Czech; cy cym_Latn Welsh; da dan_Latn Danish;
de deu_Latn German; el ell_Grek Greek; en eng_Latn English; eo epo_Latn Esperanto; es spa_Latn Spanish;
et est_Latn Estonian; eu eus_Latn Basque; fa pes_Arab Persian; fi fin_Latn Finnish; fr fra_Latn French;
ga gle_Latn Irish; gl glg_Latn Galician; gu guj_Gujr Gujarati; ha hau_Latn Hausa; he heb_Hebr Hebrew;
hi hin_Deva Hindi; hr hrv_Latn Croatian; ht hat_Latn Haitian Creole; hu hun_Latn Hungarian;
hy hye_Armn Armenian; id ind_Latn Indonesian; ig ibo_Latn Igbo; is isl_Latn Icelandic; it ita_Latn Italian;
ja jpn_Jpan Japanese; jv jav_Latn Javanese; ka kat_Geor Georgian; kk kaz_Cyrl Kazakh; km khm_Khmr Khmer;
kn kan_Knda Kannada; ko kor_Hang Korean; ku kmr_Latn Kurdish; ky kir_Cyrl Kyrgyz; lb ltz_Latn Luxembourgish;
lo lao_Laoo Lao; lt lit_Latn Lithuanian; lv lvs_Latn Latvian; mg plt_Latn Malagasy; mi mri_Latn Maori;
mk mkd_Cyrl Macedonian; ml mal_Mlym Malayalam; mn khk_Cyrl Mongolian; mr mar_Deva Marathi;
ms zsm_Latn Malay; mt mlt_Latn Maltese; my mya_Mymr Burmese; ne npi_Deva Nepali; nl nld_Latn Dutch;
nn nno_Latn Norwegian Nynorsk; no nob_Latn Norwegian; oc oci_Latn Occitan; om gaz_Latn Oromo;
or ory_Orya Odia; pa pan_Guru Punjabi; pl pol_Latn Polish; ps pbt_Arab Pashto; pt por_Latn Portuguese;
ro ron_Latn Romanian; ru rus_Cyrl Russian; rw kin_Latn Kinyarwanda; sd snd_Arab Sindhi; si sin_Sinh Sinhala;
sk slk_Latn Slovak; sl slv_Latn Slovenian; sn sna_Latn Shona; so som_Latn Somali; sq als_Latn Albanian;
sr srp_Cyrl Serbian; su sun_Latn Sundanese; sv swe_Latn Swedish; sw swh_Latn Swahili; ta tam_Taml Tamil;
te tel_Telu Telugu; tg tgk_Cyrl Tajik; th tha_Thai Thai; tk tuk_Latn Turkmen; tl tgl_Latn Tagalog;
tr tur_Latn Turkish; tt tat_Cyrl Tatar; ug uig_Arab Uyghur; uk ukr_Cyrl Ukrainian; ur urd_Arab Urdu;
uz uzn_Latn Uzbek; vi vie_Latn Vietnamese; wo wol_Latn Wolof; xh xho_Latn Xhosa; yi ydd_Hebr Yiddish;
yo yor_Latn Yoruba; zh zho_Hans Chinese; zh-Hant zho_Hant Traditional Chinese; zu zul_Latn Zulu
"""

_ENTRIES = [entry.split(maxsplit=2) for entry in _TABLE.replace("\n", " ").split(";")]
_NLLB = {code: nllb for code, nllb, _ in _ENTRIES}
_NAMES = {code: name for code, _, name in _ENTRIES}
_SAME = {"nb": "no", "zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "iw": "he", "in": "id", "fil": "tl"}


def language_name(code: str) -> str:
    """The English name of a language, or its code where we know none."""
    return _NAMES.get(_ours(code), code)


def model_code(code: str, vocabulary: Mapping[str, int]) -> str | None:
    """The token that a model with this vocabulary names a language by; None when it names none.

    NLLB has `fra_Latn`, M2M100 `__fr__`, mBART-50 `fr_XX`, MADLAD `<2fr>`, Opus-MT's models of several
    targets `>>fra<<`. A code that is such a token already is taken as it is.
    """
    ours = _ours(code)
    primary = ours.partition("-")[0]
    three = _NLLB.get(ours, ours).partition("_")[0]
    candidates = (
        code,
        _NLLB.get(ours, ""),
        f"__{primary}__",
        f"<2{primary}>",
        f">>{primary}<<",
        f">>{three}<<",
    )
    for token in candidates:
        if token in vocabulary and (token != code or len(token) > 3):
            return token
    pattern = re.compile(rf"{re.escape(primary)}_[A-Z]{{2}}")
    return next((token for token in sorted(vocabulary) if pattern.fullmatch(token)), None)


def _ours(code: str) -> str:
    code = code.strip()
    if code in _NAMES or code in _SAME:
        return _SAME.get(code, code)
    for ours, nllb in _NLLB.items():
        if code in (nllb, nllb.partition("_")[0]):
            return ours
    primary = re.split(r"[-_]", code)[0].lower()
    return _SAME.get(primary, primary)

"""Language codes: "en" here, "eng-GB" on the wire.

The wire's codes are ISO 639-2/B plus ISO 3166, as in reference `client-protocol.md` 4.4. The table names the
country that a language code without one stands for.
"""

from __future__ import annotations

import re

# Two-letter code -> (three-letter bibliographic code, country where none is given).
LANGUAGES: dict[str, tuple[str, str]] = {
    "af": ("afr", "ZA"),
    "ar": ("ara", "SA"),
    "bg": ("bul", "BG"),
    "bn": ("ben", "BD"),
    "bs": ("bos", "BA"),
    "ca": ("cat", "ES"),
    "cs": ("cze", "CZ"),
    "cy": ("wel", "GB"),
    "da": ("dan", "DK"),
    "de": ("ger", "DE"),
    "el": ("gre", "GR"),
    "en": ("eng", "GB"),
    "es": ("spa", "ES"),
    "et": ("est", "EE"),
    "eu": ("baq", "ES"),
    "fa": ("per", "IR"),
    "fi": ("fin", "FI"),
    "fr": ("fre", "FR"),
    "ga": ("gle", "IE"),
    "gl": ("glg", "ES"),
    "he": ("heb", "IL"),
    "hi": ("hin", "IN"),
    "hr": ("hrv", "HR"),
    "hu": ("hun", "HU"),
    "hy": ("arm", "AM"),
    "id": ("ind", "ID"),
    "is": ("ice", "IS"),
    "it": ("ita", "IT"),
    "ja": ("jpn", "JP"),
    "ka": ("geo", "GE"),
    "kk": ("kaz", "KZ"),
    "ko": ("kor", "KR"),
    "lt": ("lit", "LT"),
    "lv": ("lav", "LV"),
    "mk": ("mac", "MK"),
    "mn": ("mon", "MN"),
    "ms": ("may", "MY"),
    "nb": ("nor", "NO"),
    "nl": ("dut", "NL"),
    "nn": ("nno", "NO"),
    "pl": ("pol", "PL"),
    "pt": ("por", "PT"),
    "ro": ("rum", "RO"),
    "ru": ("rus", "RU"),
    "sk": ("slo", "SK"),
    "sl": ("slv", "SI"),
    "sq": ("alb", "AL"),
    "sr": ("srp", "RS"),
    "sv": ("swe", "SE"),
    "th": ("tha", "TH"),
    "tr": ("tur", "TR"),
    "uk": ("ukr", "UA"),
    "ur": ("urd", "PK"),
    "vi": ("vie", "VN"),
    "zh": ("chi", "CN"),
}
BY_PROTOCOL = {three: two for two, (three, _) in LANGUAGES.items()}
# Terminological twins of the bibliographic codes, which some clients send.
TWINS = {"deu": "ger", "fra": "fre", "nld": "dut", "ces": "cze", "zho": "chi", "nob": "nor", "ell": "gre"}
# ISO 3166-1, and XK, which everybody uses for Kosovo.
COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
    UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 - 250 quoted words would fill the page
)
PROTOCOL_SHAPE = re.compile(r"[a-z]{3}-[A-Z]{2}")
# Wagtail writes scripts for Chinese; countries follow from them.
SCRIPTS = {"hans": "CN", "hant": "TW"}


class UnknownLanguage(ValueError):
    """A language code that neither side knows."""


def is_protocol_language(code: str) -> bool:
    """Whether ``code`` has the wire's shape, such as eng-GB."""
    return PROTOCOL_SHAPE.fullmatch(code) is not None


def to_protocol_language(code: str) -> str:
    """Turn "en", "en-us" or "pt_BR" into "eng-GB", "eng-US", "por-BR"; wire codes stay as they are.

    Raises :class:`UnknownLanguage`.
    """
    if is_protocol_language(code):
        return code
    language, _, country = code.strip().replace("_", "-").lower().partition("-")
    if language not in LANGUAGES or not (country == "" or country in SCRIPTS or len(country) == 2):
        raise UnknownLanguage(
            f"The language code {code!r} is unknown. Write it like en, en-us or eng-GB; "
            f"known languages: {', '.join(LANGUAGES)}."
        )
    three, home = LANGUAGES[language]
    return f"{three}-{SCRIPTS.get(country, country.upper()) or home}"


def from_protocol_language(code: str) -> str:
    """Turn "eng-GB" into "en", "eng-US" into "en-us". Raises :class:`UnknownLanguage`."""
    three, _, country = code.partition("-")
    two = BY_PROTOCOL.get(TWINS.get(three, three))
    if two is None or country not in COUNTRIES:
        raise UnknownLanguage(
            f"The language code {code!r} is unknown. Write it like eng-GB, with a country of ISO 3166; "
            f"known languages: {', '.join(BY_PROTOCOL)}."
        )
    return two if LANGUAGES[two][1] == country else f"{two}-{country.lower()}"

"""Words that carry little of a name: particles, titles and legal forms, folded as `matching.folding` folds.

Written by hand, for what signals about harbours and trade meet, not taken from an official list; transliterated Russian
and Ukrainian forms included. To complete them: Landelijke Tabel 36 (prefixes in the Dutch registration of persons) and
ISO 20275 (entity legal forms). A word missing here is merely compared as an ordinary word.
"""

from typing import Final

_PARTICLES: Final = """
    van von vom zu zum zur ver de der den des het te ten ter tot op aan bij in uit uyt onder over voor
    la le les l du d da do dos das di del della delle dello dei degli el al bin ibn bint ould ul ur as
    af av and en und et the of
"""
PARTICLES: Final = frozenset(_PARTICLES.split())
"""Prefixes of surnames, articles and connecting words."""

SHORTENED_PARTICLES: Final = {"vd": ("van",), "vdr": ("van", "der"), "vdn": ("van", "den"), "vh": ("van", "het")}
"""Dutch contractions: `v.d.`, `v/d` may stand for van de, van der or van den, so only the certain part is kept."""

_TITLES: Final = """
    dr drs mr mrs ms mw mevr mevrouw dhr ir ing prof sir lord lady jhr jkvr jr sr junior senior
    hajji haji hadji hajj sheikh sheik shaykh rev capt captain
"""
TITLES: Final = frozenset(_TITLES.split())
"""Forms of address, academic titles, generations."""

_FORMS: Final = {
    "bv": "bv, besloten vennootschap, besloten vennootschap met beperkte aansprakelijkheid",
    "nv": "nv, naamloze vennootschap",
    "vof": "vof, vennootschap onder firma",
    "cv": "cv, commanditaire vennootschap",
    "stichting": "stichting, stg, foundation, stiftung",
    "vereniging": "vereniging, vve, association",
    "coop": "coop, cooperatie, cooperatief, cooperatieve, cooperatieve vereniging, ua, cooperatie ua",
    "maatschap": "maatschap",
    "ltd": "ltd, limited, private limited, pte ltd, pvt ltd, pty ltd, co ltd, pte, pvt, pty, "
    "sdn bhd, sdn, bhd, ltd sti, you xian gong si",
    "plc": "plc, public limited company, gu fen you xian gong si",
    "llc": "llc, limited liability company, ooo, tov, obshchestvo s ogranichennoi otvetstvennostyu, "
    "tovaristvo z obmezhenoyu vidpovidalnistyu, tovarystvo z obmezhenoiu vidpovidalnistiu",
    "llp": "llp, limited liability partnership",
    "inc": "inc, incorporated",
    "corp": "corp, corporation",
    "co": "co, company, cie",
    "gmbh": "gmbh, mbh, gesellschaft mit beschrankter haftung, gesellschaft mbh",
    "ag": "ag, aktiengesellschaft",
    "kg": "kg, kommanditgesellschaft",
    "ohg": "ohg, offene handelsgesellschaft",
    "ug": "ug, unternehmergesellschaft",
    "ev": "ev, eingetragener verein",
    "se": "se, societas europaea",
    "sa": "sa, societe anonyme, sociedad anonima, sociedade anonima",
    "sarl": "sarl, societe a responsabilite limitee",
    "sas": "sas, societe par actions simplifiee",
    "bvba": "bvba, sprl",
    "srl": "srl, societa a responsabilita limitata",
    "spa": "spa, societa per azioni",
    "sl": "sl, sociedad limitada",
    "lda": "lda, ltda, limitada",
    "as": "as, aktieselskab, anonim sirketi, anonim sirket",
    "aps": "aps, anpartsselskab",
    "ab": "ab, aktiebolag",
    "asa": "asa, allmennaksjeselskap",
    "oy": "oy, osakeyhtio",
    "oyj": "oyj",
    "uab": "uab",
    "spzoo": "spzoo, sp z oo, sp z o o, spolka z ograniczona odpowiedzialnoscia",
    "sro": "sro, spol s ro, spolecnost s rucenim omezenym",
    "kft": "kft",
    "zrt": "zrt",
    "doo": "doo, drustvo s ogranicenom odgovornoscu",
    "ood": "ood, eood",
    "ead": "ead",
    "jsc": "jsc, joint stock company, ao, oao, zao, pao, aktsionernoe obshchestvo, "
    "aktsionerne tovaristvo, aktsionerne tovarystvo",
    "fze": "fze, fzco, fzc, fzllc, dmcc",
    "ae": "ae, anonimi etaireia",
    "kk": "kk, kabushiki kaisha",
    "pt": "pt, tbk",
}

LEGAL_FORMS: Final = {tuple(written.split()): form for form, all_ in _FORMS.items() for written in all_.split(", ")}
"""Words as written → the form they stand for, itself among the keys."""

LONGEST_FORM: Final = max(map(len, LEGAL_FORMS))

CLEAR_FORMS: Final = frozenset(
    words
    for words, form in LEGAL_FORMS.items()
    if len(words) > 1
    or form in {"stichting", "vereniging", "coop", "maatschap", "ltd", "plc", "llc", "llp", "inc", "corp", "gmbh"}
    or (form == "jsc" and len(words[0]) > 2)
    or words[0] in {"bv", "nv", "vof", "sarl", "bvba", "sprl", "spzoo", "uab", "oyj", "aktiengesellschaft"}
)
"""Forms recognised wherever they stand; the others might be a name's own word and count only at its end."""

"""The printed certificate: accessible, with every fact of the signed predicate, in both languages."""

import copy
import json
import re
import struct
import subprocess
import sys
import tomllib
import zlib
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from pypdf.generic import IndirectObject

from api.print.certificate import Printed, paper
from api.print.check import certificate_pdf, examined
from api.print.paper import pages, pdf, qr_code
from api.settings import environment
from evidence import envelope as dsse
from evidence.statement import draft
from register.errors import Invalid
from tests.api import qr
from tests.evidence.builders import LOG_KEYS, ORIGIN, predicate
from tests.evidence.builders import paper as on_paper

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/evidence/certificates.json").read_text())
FILES = {
    "certificate.json": VECTORS["good"]["envelope"].encode(),
    "certificate.tlog-proof": VECTORS["good"]["proof"].encode(),
    "vkey": VECTORS["vkey"].encode(),
    "policy.toml": VECTORS["policy"].encode(),
    "ids.txt": VECTORS["ids"].encode(),
}
WORDS = tomllib.loads((ROOT / "api/print/words.toml").read_text())
SCHEMA = json.loads((ROOT / "docs/formats/certificate-v1.schema.json").read_text())
MONTHS = {
    "en": "January,February,March,April,May,June,July,August,September,October,November,December",
    "nl": "januari,februari,maart,april,mei,juni,juli,augustus,september,oktober,november,december",
}
LANGUAGES = ("en", "nl")


def printed(**sections) -> Printed:
    """The good vector, stating something else: only what is printed is looked at, not whether it is signed."""
    good = examined(FILES)
    return Printed(
        predicate=copy.deepcopy({**good.predicate, **sections}),
        version=good.version,
        envelope=good.envelope,
        digest=good.digest,
        proof=good.proof,
        keys=good.keys,
        result=good.result,
    )


def reader(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(BytesIO(content))


def squeezed(text: str) -> str:
    """Without white space, soft hyphens and line-end hyphens, so that no line break matters."""
    return re.sub(r"[\s\u00ad\u200b\u2010-]", "", text)


def text_of(content: bytes) -> str:
    return squeezed("".join(page.extract_text() for page in reader(content).pages))


def facts(value, key=""):
    if isinstance(value, dict):
        for name, each in value.items():
            yield from facts(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from facts(each, key)
    else:
        yield key, value


def said(value, language: str) -> list[str]:
    """How a fact may be said on paper, reckoned apart from the code that prints it."""
    column = LANGUAGES.index(language)
    if value is None or isinstance(value, bool):
        return [WORDS["answer"]["none" if value is None else "yes" if value else "no"][column], "owngrond", "ownright"]
    if isinstance(value, int):
        return [f"{value:,}".replace(",", "." if language == "nl" else ",")]
    if re.fullmatch(r"\d{4}-\d\d-\d\d(T.*Z)?", value):
        year, month, day = map(int, value[:10].split("-"))
        return [
            f"{day} {MONTHS[language].split(',')[month - 1]} {year}" + (f", {value[11:19]} UTC" if "T" in value else "")
        ]
    if match := re.fullmatch(r"P(\d+)([YMWD])", value):
        return [f"{match[1]} {WORDS['unit'][match[2]][column]}"]
    groups = set(WORDS) - {"say", "section", "field", "title", "month", "unit"}
    return [WORDS[group][value][column] for group in groups if value in WORDS[group]] or [value]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stated", [predicate(), on_paper()], ids=["carried out", "on paper"])
def test_every_fact_of_the_predicate_is_on_paper(language, stated):
    """R26-R32: organisation, opaque ids, destruction id, user and application, trigger, time, place and reason."""
    text = text_of(pdf(paper(printed(**stated), language)))
    missing = [
        (key, value) for key, value in facts(stated) if not any(squeezed(one) in text for one in said(value, language))
    ]
    assert missing == []
    assert all(f"{number}{squeezed(WORDS['section'][name][LANGUAGES.index(language)])}" in text for number, name in
               ((1, "certificate"), (2, "controller"), (3, "grounds"), (4, "terms"), (5, "scope"), (6, "stores"),
                (7, "readback"), (8, "cascade"), (9, "skipped"), (10, "holds"), (11, "people"), (12, "times"),
                (13, "backups"), (14, "recalls"), (15, "stubs"), (16, "log"), (17, "signatures")))  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_tagged_and_declares_pdf_ua(language):
    made = reader(certificate_pdf(FILES, language))
    root = made.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert made.metadata.title.startswith("Certificaat" if language == "nl" else "Certificate")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    for page in made.pages:
        assert b"BDC" in page.get_contents().get_data()
        assert page["/Tabs"] == "/S"
        assert "/StructParents" in page
    tags = list(_tags(root["/StructTreeRoot"]))
    kinds = [tag["/S"] for tag in tags]
    assert {"/H1", "/H2", "/H3", "/Table", "/TH", "/TD", "/L", "/LI", "/Figure", "/P"} <= set(kinds)
    assert kinds.count("/H1") == 1
    (figure,) = (tag for tag in tags if tag["/S"] == "/Figure")
    assert examined(FILES).digest in figure["/Alt"]
    scopes = [entry for tag in tags if tag["/S"] == "/TH" for entry in _attributes(tag)]
    assert scopes
    assert all(scope["/Scope"] == "/Column" for scope in scopes if "/Scope" in scope)
    fonts = {str(font) for page in made.pages for font in _embedded(page)}
    assert fonts == {"embedded"}


def _tags(node):
    kids = node.get("/K", ())
    for kid in kids if isinstance(kids, list) else (kids,):
        kid = kid.get_object() if isinstance(kid, IndirectObject) else kid
        if isinstance(kid, dict) and "/S" in kid:
            yield kid
            yield from _tags(kid)


def _attributes(tag):
    given = tag.get("/A", ())
    for one in given if isinstance(given, list) else (given,):
        yield one.get_object()


def _embedded(page):
    for font in page["/Resources"]["/Font"].values():
        (inner,) = font.get_object()["/DescendantFonts"]
        kinds = {"/FontFile", "/FontFile2", "/FontFile3"} & inner.get_object()["/FontDescriptor"].get_object().keys()
        yield "embedded" if kinds else "not embedded"


def test_every_code_of_the_schema_has_words_in_both_languages():
    places = {"kind": "kind", "act": "act", "store": "store", "assurance": "assurance"}
    wanted = {group: set(SCHEMA["$defs"][name]["enum"]) for name, group in places.items()}
    sections = SCHEMA["$defs"]["predicate"]["properties"]

    def enum(section, field):
        return set(sections[section]["items"]["properties"][field]["enum"])

    wanted["method"], wanted["result"] = enum("stores", "method"), enum("stores", "result")
    wanted["skip"], wanted["exception"] = enum("skipped", "reason"), enum("exceptions", "reason")
    wanted["approved"] = enum("approvals", "of")
    wanted["trigger"] = set(sections["run"]["properties"]["trigger"]["enum"])
    wanted["rehearsal"] = set(sections["certificate"]["properties"]["rehearsal"]["enum"])
    lacking = {(group, code) for group, codes in wanted.items() for code in codes if code not in WORDS[group]}
    assert lacking == set()
    assert all(len(pair) == 2 and all(pair) for group in WORDS.values() for pair in group.values())


def test_the_code_holds_the_digest_of_the_envelope():
    digest = examined(FILES).digest
    assert qr.text(qr.modules(qr_code(f"sha256:{digest}"))) == f"sha256:{digest}"


def test_the_same_bytes_come_out_anywhere(tmp_path):
    """Another zone, locale, home and working folder change nothing."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    made = []
    for zone, locale in (("UTC", "C"), ("Pacific/Auckland", "nl_NL.UTF-8")):
        output = tmp_path / f"{locale}.pdf"
        command = [sys.executable, "-m", "api.cli", "certificate", "print", str(tmp_path), "--output", str(output)]
        changed = {"TZ": zone, "LC_ALL": locale, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=environment() | changed, cwd=tmp_path, check=True, capture_output=True)
        made.append(output.read_bytes())
    assert made == [certificate_pdf(FILES, "nl")] * 2


@pytest.mark.parametrize("name", ["certificate.json", "certificate.tlog-proof", "vkey"])
def test_what_does_not_verify_is_not_printed(name):
    content = bytearray(FILES[name])
    content[len(content) // 2] ^= 1
    with pytest.raises(Invalid):
        certificate_pdf({**FILES, name: bytes(content)}, "en")
    with pytest.raises(Invalid):
        certificate_pdf({other: content for other, content in FILES.items() if other != name}, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_later_version_with_other_sections_and_codes_prints_too(language):
    more = {
        "archive": {"months": [{"month": "2031-11", "count": 4711}], "root": "9a" * 32},
        "holds": [{"ground": "wpg-28-2-b", "considered": 2, "kept": 1, "lifted_by": "co-77"}],
        "stores": [*predicate()["stores"], {**predicate()["stores"][0], "store": "cold-store", "media": ["tape-9"]}],
    }
    text = text_of(pdf(paper(printed(**more), language)))
    for one in ("2031-11", "4.711" if language == "nl" else "4,711", "9a" * 32, "co-77", "cold store", "tape-9"):
        assert squeezed(one) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_runs_over_the_edge(language):
    """Also with the longest codes and names that the schema lets through, and more rows than a page holds."""
    stated = predicate()
    code = "-".join(["a" * 20] * 6)
    long = {
        "controller": {"name": "Verwerkingsverantwoordelijkheidsorganisatie " * 4},
        "run": {**stated["run"], "site": code},
        "terms": [{**stated["terms"][0], "event": code, "rule": ".".join(["r" * 20] * 4)} for _ in range(60)],
        "stores": [{**stated["stores"][5], "name": code} for _ in range(3)],
        "approvals": stated["approvals"] * 3,
    }
    for sections in ({}, long):
        for png in pages(paper(printed(**sections), language), resolution=36):
            width, height, rows = pixels(png)
            edge = round(width * 1.7 / 21)
            assert all(set(row[:edge]) | set(row[-edge:]) == {255} for row in rows)
            assert all(set(row) == {255} for row in rows[-round(height * 0.6 / 29.7) :])


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Read a PNG of eight-bit RGBA; return its rows in grey."""
    width, height, depth, colours = struct.unpack(">IIBB", png[16:26])
    assert (depth, colours) == (8, 6)
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + length] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    raw, stride, rows, before = zlib.decompress(data), width * 4, [], bytearray(width * 4)
    for start in range(0, height * (stride + 1), stride + 1):
        row = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], before)
        rows.append(bytes(map(min, row[0::4], row[1::4], row[2::4])))
        before = row
    return width, height, rows


def _unfiltered(kind: int, line: bytes, up: bytearray) -> bytearray:
    row = bytearray(line)
    for i in range(len(row)):
        left, above, corner = (row[i - 4] if i > 3 else 0), up[i], (up[i - 4] if i > 3 else 0)
        if kind == 1:
            add = left
        elif kind == 2:
            add = above
        elif kind == 3:
            add = (left + above) // 2
        elif kind == 4:
            guess = left + above - corner
            add = min((left, above, corner), key=lambda one: abs(guess - one))
        else:
            add = 0
        row[i] = (row[i] + add) & 255
    return row


def test_a_rehearsal_says_so_on_every_page():
    for kind, stated in (("register", predicate()), ("paper", on_paper())):
        stated["certificate"]["rehearsal"] = kind
        envelope = dsse.seal(draft(stated), name=ORIGIN, signer=LOG_KEYS)
        assert dsse.decode(dsse.parse_form(envelope)).payload
        made = reader(pdf(paper(printed(**stated), "nl")))
        banner = squeezed(WORDS["say"][f"banner-{kind}"][1])
        assert all(banner in squeezed(page.extract_text()) for page in made.pages)

import csv
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.errors import Invalid
from register.ports import CODE, SHIPPED, Harbour, Harbours, read_official, read_own, write

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "harbour-lists.json").read_text(encoding="utf-8"))["bad"]
OFFICIAL_HEADER = "un_locode,name,iso_3166_2_country,function_code,latitude_dec,longitude_dec"
TABLE = Harbours.load()

# Code, part of the name, latitude and longitude of the harbour from nautical charts, to a tenth of a degree.
KNOWN = [
    ("NLRTM", "Rotterdam", 51.9, 4.4),
    ("NLVLI", "Vlissingen", 51.4, 3.6),
    ("NLAMS", "Amsterdam", 52.4, 4.9),
    ("NLTNZ", "Terneuzen", 51.3, 3.8),
    ("NLDZL", "Delfzijl", 53.3, 6.9),
    ("NLIJM", "IJmuiden", 52.5, 4.6),
    ("NLEEM", "Eemshaven", 53.4, 6.8),
    ("NLDHR", "Den Helder", 53.0, 4.8),
    ("NLMOE", "Moerdijk", 51.7, 4.6),
    ("NLHAR", "Harlingen", 53.2, 5.4),
    ("NLSLU", "Sluiskil", 51.3, 3.8),
    ("BEANR", "Antwerpen", 51.2, 4.4),
    ("BEGNE", "Gent", 51.1, 3.7),
    ("BEZEE", "Zeebrugge", 51.3, 3.2),
    ("DEHAM", "Hamburg", 53.5, 10.0),
    ("DEBRV", "Bremerhaven", 53.5, 8.6),
    ("GBFXT", "Felixstowe", 52.0, 1.3),
    ("ESALG", "Algeciras", 36.1, -5.4),
    ("BRSSZ", "Santos", -24.0, -46.3),
    ("ECGYE", "Guayaquil", -2.3, -79.9),
]


def file_of(folder: Path, *lines: str, name: str = "list.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines), encoding="utf-8", newline="")
    return file


@pytest.mark.parametrize(("code", "name", "latitude", "longitude"), KNOWN, ids=[row[0] for row in KNOWN])
def test_the_shipped_table_knows_the_harbours_of_the_region_and_where_they_are(code, name, latitude, longitude):
    harbour = TABLE.get(code)
    assert harbour is not None
    assert name in harbour.name
    assert harbour.country == code[:2]
    assert harbour.latitude == pytest.approx(latitude, abs=0.15)
    assert harbour.longitude == pytest.approx(longitude, abs=0.15)


def test_the_shipped_table_is_clean():
    harbours = read_own(SHIPPED)
    assert len(harbours) == len(TABLE) == len({harbour.code for harbour in harbours})
    assert len(harbours) > 4000
    for harbour in harbours:
        assert CODE.fullmatch(harbour.code)
        assert harbour.name == unicodedata.normalize("NFC", harbour.name).strip() != ""
        assert (harbour.latitude is None) == (harbour.longitude is None)
        assert harbour.latitude is None or (-80 < harbour.latitude < 85 and -180 <= harbour.longitude <= 180)
    assert sum(harbour.latitude is None for harbour in harbours) < len(harbours) / 20


def test_the_shipped_table_is_written_in_our_own_form():
    assert write(read_own(SHIPPED)) == SHIPPED.read_text(encoding="utf-8")


def test_dutch_harbours_lie_in_the_netherlands():
    dutch = [harbour for harbour in TABLE if harbour.country == "NL" and harbour.latitude is not None]
    assert len(dutch) > 30
    for harbour in dutch:
        assert 50.7 < harbour.latitude < 53.7, harbour
        assert 3.2 < harbour.longitude < 7.3, harbour


@pytest.mark.parametrize("code", ["nlrtm", "NL RTM", "NLRT", "", "XXXXX", " NLRTM"])
def test_only_the_exact_code_resolves(code):
    assert not TABLE.resolves(code)
    assert TABLE.get(code) is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("NLRTM", "NLRTM"),
        ("nl rtm", "NLRTM"),
        ("nl-rtm", "NLRTM"),
        ("rotterd", "NLRTM"),
        ("ijmuiden", "NLIJM"),
        ("velsen", "NLVEL"),
        ("GHENT", "BEGNE"),
        ("gent", "BEGNE"),
        ("parana", "BRPNN"),
        ("Zeebrügge", "BEZEE"),
    ],
)
def test_search_finds_by_code_and_by_folded_name(text, first):
    assert TABLE.search(text)[0].code == first


@pytest.mark.parametrize(
    ("name", "text"),
    [("Ålesund", "alesund"), ("Tromsø", "TROMSO"), ("Łeba", "leba"), ("Gießen", "giessen"), ("Ærø", "aero")],
)
def test_letters_with_strokes_are_found_without_them(name, text):
    table = Harbours([Harbour(code="XXAAA", name=name)])
    assert [harbour.name for harbour in table.search(text)] == [name]
    assert table.search(name) == table.search(text)


def test_search_ranks_code_then_name_then_words_then_parts():
    names = {
        "XXAAA": "Bar",
        "XXAAB": "Bar Harbour",
        "XXAAC": "Barth",
        "BARAA": "Elsewhere",
        "XXAAD": "New Barth",
        "XXAAE": "Crowbar",
    }
    table = Harbours(Harbour(code=code, name=name) for code, name in names.items())
    assert [harbour.name for harbour in table.search("bar")] == [
        "Bar", "Bar Harbour", "Barth", "Elsewhere", "New Barth", "Crowbar",
    ]  # fmt: skip
    assert [harbour.name for harbour in table.search("xxaae")] == ["Crowbar"]


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
codes = st.from_regex(CODE, fullmatch=True)
tables = st.dictionaries(codes, names, max_size=12)


@given(tables, names, st.integers(-1, 15))
def test_search_gives_at_most_the_limit_without_doubles_and_always_the_same(rows, text, limit):
    harbours = [Harbour(code=code, name=name) for code, name in rows.items()]
    found = Harbours(harbours).search(text, limit)
    assert len(found) == len(set(found)) <= max(limit, 0)
    assert set(found) <= set(harbours)
    assert found == Harbours(reversed(harbours)).search(text, limit)
    assert found == Harbours(harbours).search(text, 100)[: max(limit, 0)]


@given(st.sampled_from(list(TABLE)), st.data())
def test_every_part_of_a_name_finds_its_harbour(harbour, data):
    name = harbour.name
    start = data.draw(st.integers(0, len(name) - 1))
    part = name[start : data.draw(st.integers(start + 1, len(name)))]
    if any(character.isalnum() for character in part):
        assert harbour in TABLE.search(part, len(TABLE))
        assert TABLE.search(part.upper()) == TABLE.search(part)
    else:
        assert TABLE.search(part) == ()


@given(st.sampled_from(list(TABLE)))
def test_a_code_finds_its_harbour_first(harbour):
    assert TABLE.search(harbour.code.lower(), 1) == (harbour,)


positions = st.none() | st.tuples(st.integers(-900000, 900000), st.integers(1, 1800000))


@given(
    st.dictionaries(codes, st.tuples(st.text("Aé' -ø(),\"", min_size=1, max_size=9), positions), min_size=1, max_size=9)
)
def test_what_is_written_is_read_again(tmp_path_factory, rows):
    harbours = tuple(
        Harbour(
            code=code,
            name=" ".join(name.split()) or "A",
            latitude=None if position is None else position[0] / 10000,
            longitude=None if position is None else position[1] / 10000,
        )
        for code, (name, position) in sorted(rows.items())
    )
    file = file_of(tmp_path_factory.mktemp("ports"), write(harbours))
    assert read_own(file) == harbours
    assert write(reversed(harbours)) == write(harbours)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["case"] for vector in VECTORS])
def test_a_bad_list_is_refused_whole_with_every_fault(tmp_path, vector):
    file = file_of(tmp_path, *vector["lines"])
    official = any("un_locode" in line for line in vector["lines"][:1])
    for load in (read_official if official else read_own, Harbours.load):
        with pytest.raises(Invalid) as caught:
            load(file)
        assert [[fault.pointer, fault.rule] for fault in caught.value.faults] == [
            ["/list.csv" + pointer, rule] for pointer, rule in vector["faults"]
        ]


def test_a_list_that_is_not_utf8_is_refused_at_its_line(tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes(b"code,name,latitude,longitude\nNLRTM,Rotterdam,,\nSEGOT,G\xf6teborg,,\n")
    with pytest.raises(Invalid) as caught:
        read_own(file)
    assert [(fault.pointer, fault.rule) for fault in caught.value.faults] == [("/list.csv/3", "ports.encoding")]


def test_a_missing_file_is_refused_without_its_folder(tmp_path):
    with pytest.raises(Invalid) as caught:
        Harbours.load(tmp_path / "none.csv")
    assert [(fault.pointer, fault.rule) for fault in caught.value.faults] == [("/none.csv", "ports.file")]
    assert str(tmp_path) not in str(caught.value)


def test_the_faults_of_all_files_come_together_and_show_no_values(tmp_path):
    one = file_of(tmp_path, "code,name,latitude,longitude", "secret,A,,", name="one.csv")
    two = file_of(tmp_path, OFFICIAL_HEADER, "NL RTM,Rotterdam,NL,1-------,secret,4.5", name="a-b~.csv")
    with pytest.raises(Invalid) as caught:
        Harbours.load(one, two)
    assert [fault.pointer for fault in caught.value.faults] == ["/one.csv/2/code", "/a-b~0.csv/2/latitude_dec"]
    assert "secret" not in str(caught.value)


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_fault(tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes("\ufeffcode,name,latitude,longitude\r\nNLRTM,Rotterdam,51.9,4.4\r\n".encode())
    assert read_own(file) == (Harbour(code="NLRTM", name="Rotterdam", latitude=51.9, longitude=4.4),)


def test_an_official_list_adds_names_and_fills_in_but_moves_nothing(tmp_path):
    official = file_of(
        tmp_path,
        OFFICIAL_HEADER,
        "NL RTM,Rotterdam (haven),NL,12345---,10.0,10.0",
        "NL ZZ9,Nieuwe Haven,NL,1-------,51.5,4.5",
        "FI TKU,Turku (Åbo),FI,1-34----,,",
        "FI TKU,Åbo (Turku),FI,1-34----,,",
    )
    table = Harbours.load(official)
    assert table.get("NLRTM") == Harbour(
        code="NLRTM",
        name="Rotterdam (haven)",
        latitude=TABLE.get("NLRTM").latitude,
        longitude=TABLE.get("NLRTM").longitude,
    )
    assert table.get("NLZZ9") == Harbour(code="NLZZ9", name="Nieuwe Haven", latitude=51.5, longitude=4.5)
    assert table.get("FITKU").name == "Turku (Åbo)"
    assert len(table) == len(TABLE) + 1
    own = file_of(tmp_path, "code,name,latitude,longitude", "NLZZ9,Andere Haven,,", name="own.csv")
    assert Harbours.load(official, own).get("NLZZ9") == Harbour(code="NLZZ9", name="Andere Haven")
    assert Harbours.load(own, official).get("NLZZ9") == table.get("NLZZ9")


@pytest.mark.shared_data
def test_the_official_list_loads_and_resolves_every_port_of_the_open_signals(shared_data):
    official = shared_data / "ports" / "unlocode-2019-2-seaports.csv"
    with official.open(encoding="utf-8", newline="") as file:
        listed = {row["un_locode"].replace(" ", "") for row in csv.DictReader(file)}
    assert {harbour.code for harbour in read_official(official)} == listed
    table = Harbours.load(official)
    assert all(table.resolves(code) for code in listed)
    assert all(table.resolves(harbour.code) for harbour in TABLE)
    with (shared_data / "signals" / "open.ndjson").open(encoding="utf-8") as file:
        named = {code for line in file for code in json.loads(line)["ports"]}
    assert len(named) > 1000
    assert sorted(code for code in named if not table.resolves(code)) == []

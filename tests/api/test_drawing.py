"""The picture of a network: everything in it, deterministic, and inert whatever the names are."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from api.cli.bundles import bundled
from api.cli.drawing import draw
from api.cli.show import clean

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@st.composite
def pictures(draw_):
    ids = [f"{number:032x}" for number in range(draw_(st.integers(2, 12)))]
    subjects = [
        {"subject": one, "kind": draw_(st.sampled_from(("person", "organisation"))), "name": draw_(NAMES)}
        for one in ids
    ]
    links = draw_(
        st.lists(
            st.fixed_dictionaries(
                {
                    "id": st.just("1" * 32),
                    "signal": st.just("2" * 32),
                    "from": st.sampled_from(ids),
                    "to": st.sampled_from([*ids, "NLRTM"]),
                    "kind": st.sampled_from(("paid", "met-with")),
                    "basis": st.sampled_from(("fact", "assessment")),
                    "since": st.sampled_from((None, "2025-01-02", "2024-03-04")),
                    "until": st.none(),
                }
            ),
            max_size=20,
        )
    )
    harbours = [{"code": "NLRTM", "name": "Rotterdam", "latitude": 51.9, "longitude": 4.1}]
    return {"subjects": subjects, "harbours": harbours, "links": links, "left_out": 0}


@given(pictures())
def test_a_picture_is_well_formed_the_same_twice_and_shows_what_hangs_on_the_middle(picture):
    start = picture["subjects"][0]["subject"]
    text = draw(picture, start)
    assert text == draw(picture, start)
    root = ElementTree.fromstring(text)  # noqa: S314 (our own output)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "line", "text", "circle", "polygon"}
    shown = "".join(root.itertext())
    assert picture["subjects"][0]["name"] in shown
    for link in picture["links"]:
        if link["from"] == start and link["to"] != start:
            other = [one["name"] for one in picture["subjects"] if one["subject"] == link["to"]] or ["Rotterdam"]
            assert other[0] in shown


@given(pictures())
def test_bundles_lose_no_link(picture):
    bundles = bundled(picture["links"])
    assert sum(one.count for one in bundles) == len(picture["links"])
    assert sum(one.facts for one in bundles) == sum(one["basis"] == "fact" for one in picture["links"])
    assert len({(one.from_, one.kind, one.to) for one in bundles}) == len(bundles)


@given(st.text())
def test_stored_text_cannot_command_a_terminal(text):
    shown = clean(text)
    assert not any(char in shown for char in "\x1b\x07\x9b\u202e\u2066\x00\r")

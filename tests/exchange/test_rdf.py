"""JSON-LD and Turtle: one graph in two forms, which rdflib reads and answers questions from."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputError
from deixis.exchange.items import Exporter, How, items_of
from deixis.exchange.jsonld import CONTEXT
from deixis.exchange.merged import normalised
from deixis.exchange.rdf_terms import PREFIXES, part, xywh
from deixis.exchange.registry import find

from .conftest import AGAIN, ALL, EVIL, GOLD, HEARD, HOSTILE, SEEN, SHA, Rows, Write

rdflib = pytest.importorskip("rdflib")
# Its reader of JSON-LD still uses what it has deprecated itself.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")


@pytest.fixture
def graph(write: Write) -> Any:
    """Write rows as Turtle and as JSON-LD, check that they are one graph, and return it."""

    def graph(rows: Rows, **how: Any) -> Any:
        made = {}
        for form, name in (("turtle", "turtle"), ("jsonld", "json-ld")):
            [path] = write(form, rows, form, **how).files
            made[form] = rdflib.Graph().parse(path, format=name)
        one, other = made.values()
        assert set(one) == set(other) and len(one) > 0
        assert not any(isinstance(node, rdflib.BNode) for triple in one for node in triple)
        return one

    return graph


def ask(graph: Any, question: str) -> list[tuple[Any, ...]]:
    found = graph.query(question, initNs=PREFIXES)
    return sorted(tuple(str(cell) for cell in row) for row in found)


def test_which_posts_show_an_entity_and_where(graph: Any) -> None:
    found = ask(
        graph([SEEN, AGAIN, HEARD, GOLD]),
        """SELECT ?id ?where ?how_sure WHERE {
            ?entity schema:name "Grace Hopper" .
            ?mention oa:hasBody ?entity ; prov:wasDerivedFrom ?post ; oa:hasTarget ?region .
            ?region deixis:fragment ?where .
            ?post schema:identifier ?id .
            OPTIONAL { ?region deixis:confidence ?how_sure } }""",
    )
    picture = f"urn:deixis:picture/{SHA}"
    assert found == [
        ("1", f"{picture}#xywh=10,5,21,55", "0.8"),
        ("1", f"{picture}#xywh=40,5,10,55", "0.25"),
        ("3", "https://example.org/talk.mp4?token=***#t=0.4,0.44&xywh=1,2,2,2", "0.8"),
        ("3", "https://example.org/talk.mp4?token=***#t=1.5,2.25", "0.9"),
        ("4", "https://example.org/two.jpg#xywh=2,0,2,9", "None"),
        ("4", "urn:deixis:picture/..%2Fin%2Fone.jpg#xywh=1,1,4,4", "None"),
    ]


@pytest.mark.parametrize(
    ("pictures", "whole"),
    [
        (None, f"urn:deixis:picture/{SHA}"),
        ("https://example.org/media/", "https://example.org/media/pictures/a%20b.jpg"),
    ],
)
def test_what_a_picture_depicts(graph: Any, pictures: str | None, whole: str) -> None:
    made = graph([SEEN], pictures=pictures)
    question = "SELECT ?picture ?name { ?picture foaf:depicts/schema:name ?name }"
    assert ask(made, question) == [
        (whole, "Grace Hopper"),
        (f"{whole}#xywh=10,5,21,55", "Grace Hopper"),
        (f"{whole}#xywh=40,5,10,55", "Grace Hopper"),
    ]


def test_one_entity_over_all_posts(graph: Any) -> None:
    made = graph([SEEN, AGAIN, HEARD])
    question = """SELECT ?entity ?other ?type { ?entity schema:name "Grace Hopper" ; a ?type
        OPTIONAL { ?entity schema:alternateName ?other } }"""
    hopper = "urn:deixis:entity/person/grace%20hopper"
    assert ask(made, question) == [
        (hopper, "GRACE  HOPPER", name)
        for name in (
            "https://schema.org/Person",
            "urn:deixis:type:author",
            "urn:deixis:type:intellectual",
            "urn:deixis:type:person",
        )
    ]
    [(count,)] = ask(made, f"SELECT (COUNT(?m) AS ?n) {{ ?m oa:hasBody <{hopper}> }}")
    assert count == "3"


def test_a_relation_is_a_triple_and_a_statement_with_its_source(graph: Any) -> None:
    question = """SELECT ?one ?other ?how_sure ?id ?model {
        ?a ?relation ?b . ?a schema:name ?one . ?b schema:name ?other .
        ?statement a rdf:Statement ; rdf:subject ?a ; rdf:predicate ?relation ; rdf:object ?b ;
            deixis:confidence ?how_sure ; prov:wasDerivedFrom/schema:identifier ?id ;
            prov:wasGeneratedBy/deixis:model ?model ;
            deixis:subjectMention/oa:hasBody ?a ; deixis:objectMention/oa:hasBody ?b }"""
    made = graph([SEEN])
    assert ask(made, question) == [("Grace Hopper", "US Navy", "0.7", "1", "openai:gpt-5-mini")]
    assert ask(made, "SELECT ?o { ?s <urn:deixis:relation:member%20of> ?o }")


def test_events_and_their_arguments(graph: Any) -> None:
    made = graph([AGAIN])
    question = """SELECT ?word ?begins ?who ?how_sure {
        ?event a <urn:deixis:event:Life%3ATeach> ; schema:name ?word ;
            <urn:deixis:role:Teacher> ?teacher ; oa:hasTarget/nif:beginIndex ?begins .
        ?statement rdf:subject ?event ; rdf:object ?teacher ; deixis:confidence ?how_sure .
        ?teacher schema:name ?who }"""
    assert ask(made, question) == [("taught", "14", "GRACE  HOPPER", "0.6")]


def test_what_is_not_to_be_seen_and_what_nobody_looked_for(graph: Any) -> None:
    question = """SELECT ?words ?seen { ?m a oa:Annotation ; oa:hasBody/schema:name ?words
        OPTIONAL { ?m deixis:groundable ?seen } }"""
    assert ask(graph([GOLD]), question) == [
        ("Grace Hopper", "true"),
        ("nobody looked", "None"),
        ("the COBOL", "false"),
    ]


def test_gold_rows_are_made_by_nobody_but_the_one_named(graph: Any) -> None:
    made_by = "SELECT ?name { ?m a oa:Annotation ; prov:wasGeneratedBy/schema:name ?name }"
    assert ask(graph([GOLD]), "SELECT ?x { ?m prov:wasGeneratedBy ?x }") == []
    assert {name for (name,) in ask(graph([GOLD], model="us, 2026"), made_by)} == {"us, 2026"}


def test_names_begin_with_the_base(graph: Any) -> None:
    made = graph([AGAIN], base="https://example.org/kg/")
    begins = ("https://example.org/kg/", *PREFIXES.values(), "urn:deixis:")
    subjects = {str(subject) for subject in made.subjects()}
    assert subjects and all(name.startswith(begins[0]) for name in subjects)
    assert all(str(p).startswith(begins) for p in made.predicates())


@pytest.mark.parametrize("form", ["turtle", "jsonld"])
@pytest.mark.parametrize(
    "how",
    [
        *({"base": base} for base in ("", "x", "no iri/", "https://h/> <x/", "schema:", "a:b")),
        {"pictures": "media/"},
    ],
)
def test_a_base_that_is_no_iri(write: Write, form: str, how: dict[str, str]) -> None:
    with pytest.raises(InputError, match="must be an absolute IRI"):
        write(form, [AGAIN], **how)


def test_hostile_rows(graph: Any) -> None:
    made = graph(HOSTILE)
    assert rdflib.URIRef("urn:x") not in set(made.subjects())
    texts = {str(text) for text in made.objects(predicate=rdflib.SDO.text)}
    assert EVIL in texts, "whole, and nothing but a text"
    for name in {str(n) for t in made for n in t if isinstance(n, rdflib.URIRef)}:
        assert re.fullmatch(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", name) and len(name) < 500
    assert ask(made, "SELECT ?id { ?p schema:identifier ?id FILTER(STRLEN(?id) = 3000) }")


@given(st.text(min_size=1), st.text(), st.text(min_size=1))
def test_any_text_is_a_text(name: str, type_: str, relation: str) -> None:
    row = {
        "id": name,
        "text": name,
        "image": f"https://h/{name}",
        "entities": [{"text": name, "start": 0, "end": len(name), "type": type_}],
        "relations": [{"subject": 0, "type": relation, "object": 0}],
    }
    with TemporaryDirectory() as folder:
        rows, out = Path(folder) / "rows", Path(folder) / "out"
        rows.write_text(json.dumps(row) + "\n")
        made = []
        for form, read in (("turtle", "turtle"), ("jsonld", "json-ld")):
            find(form, Exporter).write(items_of(rows), out, How())  # type: ignore[arg-type]
            made.append(set(rdflib.Graph().parse(out, format=read)))
    assert made[0] == made[1]
    texts = {str(o) for s, p, o in made[0] if p == rdflib.SDO.text}
    assert texts == {name}


def test_a_name_of_a_picture_that_no_url_has(graph: Any) -> None:
    made = graph(
        [{**GOLD, "images": ["a#b?c%d e.jpg", "two.jpg"], "image": "a#b?c%d e.jpg"}],
        pictures="https://h/",
    )
    [(iri,)] = ask(made, 'SELECT ?p { ?p schema:contentUrl ?u FILTER(CONTAINS(?u, "e.jpg")) }')
    assert iri == "https://h/a%23b%3Fc%25d%20e.jpg"


def test_what_is_left_out_is_told_and_counted(write: Write) -> None:
    written = write("turtle", ALL)
    parts = {"mentions": 14, "regions": 6, "spans": 2, "frames": 1, "relations": 3, "events": 2}
    assert written.counts == {"posts": 8, "entities": 11, **parts}
    masks, frames = written.left_out
    assert masks == "masks: a media fragment is a rectangle (1 in all, first in '1')"
    assert "when they are shown (1 in all, first in " in frames


def test_no_rows_at_all(write: Write) -> None:
    [path] = write("jsonld", []).files
    assert json.loads(path.read_text()) == {"@context": CONTEXT, "@graph": []}
    [path] = write("turtle", []).files
    assert len(rdflib.Graph().parse(path, format="turtle")) == 0


def test_a_file_that_fails_is_not_there(tmp_path: Path) -> None:
    from deixis.exchange.turtle import write

    def items() -> Iterator[Any]:
        raise InputError("the end")
        yield

    with pytest.raises(InputError, match="the end"):
        write(items(), tmp_path / "out.ttl", How())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("NASA", "nasa", True),
        ("Grace\n  Hopper", "grace hopper", True),
        ("\uff2e\uff21\uff33\uff21", "NASA", True),  # full width
        ("Stra\u00dfe", "STRASSE", True),
        ("Caf\u00e9", "Cafe\u0301", True),
        ("Caf\u00e9", "Cafe", False),
        ("", "\u3000", False),
    ],
)
def test_when_names_are_the_same(one: str, other: str, same: bool) -> None:
    assert (normalised(one) == normalised(other)) is same


def test_fragments_cover_the_box() -> None:
    assert xywh((10.4, 5.0, 30.2, 60.0)) == "xywh=10,5,21,55"
    assert xywh((30, 60, 10.5, 5.5)) == "xywh=10,5,20,55", "corners the wrong way round"
    assert xywh((-3, 2, 2, 2)) == "xywh=0,2,2,1", "at least a pixel, none before the first"


def test_parts_of_iris() -> None:
    assert part("a/b c:d") == "a%2Fb%20c%3Ad" and part("..") == "%2E%2E"
    assert len(part("x" * 101)) == 60 + 1 + 32 and part("x" * 101) != part("x" * 102)

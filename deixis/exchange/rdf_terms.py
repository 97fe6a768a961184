"""What RDF is made of here: prefixes, predicates and the kind of their values, nodes, safe IRIs."""

import re
from collections.abc import Iterable
from decimal import Decimal
from hashlib import blake2b
from math import ceil, floor
from typing import NamedTuple
from urllib.parse import quote

from deixis.base.boxes import Box
from deixis.errors import InputError

BASE = "urn:deixis:"
"""What the IRIs of nodes begin with unless ``--base`` says otherwise."""
TYPES, RELATIONS, ROLES, EVENTS = (
    f"{BASE}{name}:" for name in ("type", "relation", "role", "event")
)
"""What the IRIs of types, relations, roles and types of events begin with, whatever the base is."""
PREFIXES = {
    "schema": "https://schema.org/",
    "prov": "http://www.w3.org/ns/prov#",
    "oa": "http://www.w3.org/ns/oa#",
    "nif": "http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "deixis": f"{BASE}term:",
}
IRI, STRING = "@id", ""
_INTEGER, _DECIMAL = "xsd:nonNegativeInteger", "xsd:decimal"
KINDS = {
    "schema:identifier": STRING,
    "schema:text": STRING,
    "schema:name": STRING,
    "schema:alternateName": STRING,
    "schema:image": IRI,
    "schema:audio": IRI,
    "schema:video": IRI,
    "schema:mentions": IRI,
    "schema:isPartOf": IRI,
    "schema:contentUrl": STRING,
    "schema:sha256": STRING,
    "schema:width": _INTEGER,
    "schema:height": _INTEGER,
    "foaf:depicts": IRI,
    "nif:isString": STRING,
    "nif:referenceContext": IRI,
    "nif:beginIndex": _INTEGER,
    "nif:endIndex": _INTEGER,
    "nif:anchorOf": STRING,
    "oa:motivatedBy": IRI,
    "oa:hasBody": IRI,
    "oa:hasTarget": IRI,
    "oa:hasSource": IRI,
    "prov:wasDerivedFrom": IRI,
    "prov:wasGeneratedBy": IRI,
    "rdf:subject": IRI,
    "rdf:predicate": IRI,
    "rdf:object": IRI,
    "deixis:confidence": _DECIMAL,
    "deixis:groundable": "xsd:boolean",
    "deixis:expression": STRING,
    "deixis:fragment": IRI,
    "deixis:box": STRING,
    "deixis:subjectMention": IRI,
    "deixis:objectMention": IRI,
    "deixis:settings": STRING,
    "deixis:model": STRING,
}
"""Every predicate by its prefixed name, and what its values are; those of relations are IRIs."""


class Node(NamedTuple):
    """What is said of one thing: an IRI, classes, and ``(predicate, value)``.

    Classes and predicates are prefixed names or whole IRIs; values are the words of a literal or
    whole IRIs, as the predicate's kind is.
    """

    iri: str
    types: list[str]
    facts: list[tuple[str, str]]


def kind_of(predicate: str) -> str:
    """Return the kind of a predicate's values: `IRI`, `STRING` or a data type."""
    return KINDS.get(predicate, IRI)


def number(value: float) -> str:
    """Return a number as xsd:decimal has it: no exponent."""
    return format(Decimal(repr(value)), "f")


def part(name: str) -> str:
    """Return a part of an IRI that stands for a name, whatever characters that has.

    All but letters, digits and ``-._~`` of ASCII is percent-encoded. Of a name of more than 100
    characters, the first 60 stand before a colon and its digest.
    """
    if len(name) > 100:
        digest = blake2b(name.encode(), digest_size=16).hexdigest()
        return f"{quote(name[:60], safe='')}:{digest}"
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


def iri_of_url(url: str) -> str:
    """Return a URL without its fragment, and what no IRI can hold percent-encoded."""
    return quote(url.partition("#")[0], safe=":/?[]@!$&'()*+,;=%-._~")


_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`\x7f-\xa0]*")


def checked_base(given: str, option: str) -> str:
    """Return an IRI that others are made of by writing on.

    Raises:
        InputError: it is none.
    """
    scheme = given.partition(":")[0].lower()
    if not _ABSOLUTE.fullmatch(given) or given[-1] not in "/#:=" or scheme in PREFIXES:
        raise InputError(
            f"{option} must be an absolute IRI that ends in /, #, : or =, such as "
            f"https://example.org/posts/; got {given!r}"
        )
    return given


def xywh(box: Box) -> str:
    """Return a box as a media fragment (Media Fragments URI 1.0): whole pixels, which cover it."""
    left, right = sorted((box[0], box[2]))
    top, bottom = sorted((box[1], box[3]))
    x, y = max(0, floor(left)), max(0, floor(top))
    return f"xywh={x},{y},{max(1, ceil(right) - x)},{max(1, ceil(bottom) - y)}"


def seconds(start: float, end: float) -> str:
    """Return a span of time as a media fragment: seconds from the start, half-open."""
    return f"t={number(start)},{number(end)}"


def facts(*pairs: tuple[str, str | None]) -> list[tuple[str, str]]:
    """Return the facts whose value is known."""
    return [(predicate, value) for predicate, value in pairs if value is not None]


def each(predicate: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """Return a fact for each value, none twice."""
    return [(predicate, value) for value in dict.fromkeys(values)]

"""RDF as JSON-LD 1.1: the nodes of the Turtle, each on a line, behind a context of its own."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from deixis.base.text_files import folder_of, write_lines
from deixis.exchange.items import Exporter, How, Item, Written
from deixis.exchange.mentions import Where
from deixis.exchange.rdf_graph import OPTIONS, GraphOf
from deixis.exchange.rdf_terms import KINDS, PREFIXES, STRING, Node

CONTEXT = {
    **PREFIXES,
    **{name: {"@id": name, "@type": kind} for name, kind in KINDS.items() if kind != STRING},
}
"""What the names in a file mean: nothing is fetched to read it."""


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write items into a file (``-``: stdout).

    Raises:
        InputError: an option is no IRI, or the file cannot be written.
    """
    graph = GraphOf(Where(folder_of(out), how.pictures), how)
    write_lines(out, _lines(graph.nodes(items)))
    return Written([out], graph.counts, graph.left_out)


def _lines(nodes: Iterable[Node]) -> Iterator[str]:
    yield f'{{"@context": {json.dumps(CONTEXT, indent=1)},'
    comma = '"@graph": ['
    for node in nodes:
        yield comma + json.dumps(_object(node), ensure_ascii=False)
        comma = ","
    yield '"@graph": []}' if comma != "," else "]}"


def _object(node: Node) -> dict[str, Any]:
    made: dict[str, Any] = {"@id": node.iri}
    if node.types:
        made["@type"] = node.types
    for predicate, value in node.facts:
        # What the context does not know is a relation or a role: its values are nodes.
        made.setdefault(predicate, []).append(value if predicate in KINDS else {"@id": value})
    return made | {
        name: each[0] for name, each in made.items() if name[0] != "@" and len(each) == 1
    }


EXPORTER = Exporter("jsonld", "linked data with its context inside", write, options=OPTIONS)

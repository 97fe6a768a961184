"""RDF as Turtle (RDF 1.1): one block for each node, in the order of the posts."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from deixis.base.text_files import folder_of, write_lines
from deixis.exchange.items import Exporter, How, Item, Written
from deixis.exchange.mentions import Where
from deixis.exchange.rdf_graph import OPTIONS, GraphOf
from deixis.exchange.rdf_terms import IRI, KINDS, PREFIXES, STRING, Node, kind_of

_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f]')
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write items into a file (``-``: stdout).

    Raises:
        InputError: an option is no IRI, or the file cannot be written.
    """
    graph = GraphOf(Where(folder_of(out), how.pictures), how)
    write_lines(out, _lines(graph.nodes(items)))
    return Written([out], graph.counts, graph.left_out)


def _lines(nodes: Iterable[Node]) -> Iterator[str]:
    for prefix, iri in PREFIXES.items():
        yield f"@prefix {prefix}: <{iri}> ."
    for node in nodes:
        yield ""
        yield _block(node)


def _block(node: Node) -> str:
    pairs = [f"a {', '.join(map(_name, node.types))}"] if node.types else []
    values: dict[str, list[str]] = {}
    for predicate, value in node.facts:
        values.setdefault(predicate, []).append(_value(predicate, value))
    pairs += [f"{_name(predicate)} {', '.join(each)}" for predicate, each in values.items()]
    return f"<{node.iri}> " + " ;\n    ".join(pairs) + " ."


def _name(name: str) -> str:
    prefix = name.partition(":")[0]
    return name if name in KINDS or prefix in PREFIXES else f"<{name}>"


def _value(predicate: str, value: str) -> str:
    kind = kind_of(predicate)
    if kind == IRI:
        return f"<{value}>"
    literal = f'"{_ESCAPED.sub(_escape, value)}"'
    return literal if kind == STRING else f"{literal}^^{kind}"


def _escape(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or f"\\u{ord(match[0]):04X}"


EXPORTER = Exporter("turtle", "RDF for triple stores", write, options=OPTIONS)

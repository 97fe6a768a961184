"""What API pages show beyond the docstrings: the fields of records, and links from names."""

import re
from contextlib import suppress
from typing import Any

import griffe

_RETURNS = re.compile(r"(^ *Returns:\n +)", re.MULTILINE)
_NAME = re.compile(r"(?<![`\w])`([A-Za-z][\w.]+)`(?!`)")


class Docstrings(griffe.Extension):
    """Gives records the signature that their fields make, and makes names in backticks links."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Walk the package once it is loaded whole."""
        for thing in _all(pkg):
            if isinstance(thing, griffe.Class) and "__init__" not in thing.members:
                _sign(thing)
            if thing.docstring is not None:
                text = _linked(_drawn(thing.docstring.value), thing)
                if isinstance(thing, griffe.Function) and thing.returns is not None:
                    text = _RETURNS.sub(rf"\1{thing.returns}: ", text)
                thing.docstring.value = text


def _all(thing: griffe.Object) -> Any:
    yield thing
    for member in thing.members.values():
        if not member.is_alias:
            yield from _all(member)


def _sign(record: griffe.Class) -> None:
    """Show the fields of a record as the parameters of its class."""
    if any("Protocol" in str(base) or "Error" in str(base) for base in record.bases):
        return
    fields = [
        field
        for owner in (*reversed(record.mro()), record)
        for field in owner.members.values()
        if isinstance(field, griffe.Attribute)
        and field.annotation is not None
        and "property" not in field.labels
        and not field.name.startswith("_")
    ]
    if not fields:
        return
    in_order = "dataclass" in record.labels or any("NamedTuple" in str(b) for b in record.bases)
    kinds = griffe.ParameterKind
    kind = kinds.positional_or_keyword if in_order else kinds.keyword_only
    parameters = [
        griffe.Parameter(field.name, annotation=field.annotation, kind=kind, default=field.value)
        for field in {field.name: field for field in fields}.values()
    ]
    init = griffe.Function("__init__", parameters=griffe.Parameters(*parameters))
    record.set_member("__init__", init)


def _drawn(text: str) -> str:
    """Fence the drawings of a docstring, so that their lines stay lines."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        f"```text\n{paragraph}\n```" if re.search("[├└┌]─|─►", paragraph) else paragraph
        for paragraph in paragraphs
    )


def _linked(text: str, where: griffe.Object) -> str:
    """Turn names in single backticks into links, where they lead to a page."""

    def link(match: re.Match[str]) -> str:
        name = match[1]
        path = name
        if not name.startswith("deixis"):
            first, _, rest = name.partition(".")
            with suppress(griffe.NameResolutionError):
                path = ".".join(filter(None, (where.resolve(first), rest)))
        return f'<autoref optional identifier="{path}"><code>{name}</code></autoref>'

    return _NAME.sub(link, text)

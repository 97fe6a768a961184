"""Reading the sketches of either stage, also of a model that was not trained to write them."""

import re

from deixis.agents.reading.json_entities import entities_in_json
from deixis.agents.reading.places import where
from deixis.agents.reading.plain import plain
from deixis.base.folding import key
from deixis.formats import vkel
from deixis.formats.answers import Parsed
from deixis.rows import RowEntity
from deixis.type_schema import TypeSchema

_ARTICLE = r"(?:an?\s?\(an?\)|an?\(n\)|a/an|an?)"
_PLACED = re.compile(
    r"[\s,.(]{0,9}\b(?:(?:and|whose|with|has|its|the|a)\s){0,4}"
    r"(?<![</|])(?:bounding[ -]?box(?:es|\(es\))?|bbox(?:es)?|box(?:es)?|coordinates|location)\b"
    r"(?:\s|:|=|\bis\b|\bare\b|\bat\b|\blocated\b){0,20}(?=\S)",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"(, whose bounding boxes are )([^;\n]*?)(?=\s*(?:;|\n|\Z|\.?\s*;|\.\s+\w[^;\n]*? is a\(an\)))"
)
_LONGEST = 10_000
"""Characters of an answer that are read tolerantly: a longer one repeats itself, and costs time."""
_NONE = r"none|null|n/a|not (?:visible|shown|present)[^;\n.]*"


def read(answer: str, types: TypeSchema) -> Parsed:
    """Read the answer of either stage; a fine type alone brings its type along.

    It is read as it stands; if that leaves anything out, as JSON, or as plain English and all
    that models put around it.
    """
    strict = _whole(vkel.parse(answer), types)
    if not strict.problems and all(types.named(entity.type) for entity in strict.entities):
        return strict
    if len(answer) > _LONGEST:
        return strict
    loose = entities_in_json(answer) or vkel.parse(_tolerated(answer, types))
    return _whole(loose, types)


def folded(words: str) -> str:
    """Return words without case, spelling and white space, by which they are compared."""
    return "".join(key(words).split())


def _whole(parsed: Parsed, types: TypeSchema) -> Parsed:
    def whole(entity: RowEntity) -> RowEntity:
        if entity.fine_type is not None or types.named(entity.type) is not None:
            return entity
        owner, fine = types.of_fine_type(entity.type) or (None, None)
        return (
            entity.model_copy(update={"type": owner.name, "fine_type": fine}) if owner else entity
        )

    return parsed._replace(entities=tuple(whole(entity) for entity in parsed.entities))


def _tolerated(answer: str, types: TypeSchema) -> str:
    """Return an answer as the format has it: a model not trained on it writes *is an actor*.

    Types of the schema, whatever stands before them, are *a(an)* types; what is said of boxes
    becomes *whose bounding boxes are*; and what stands between two sketches is a semicolon.
    """
    words = {word for kind in types.types for word in (kind.name, kind.template, *kind.fine_types)}
    words |= {word.replace("_", " ") for word in words}
    known = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    kind = rf"[\"'“‘\[<]?({known})[\"'”’\]>]?(?!\w)"  # noqa: RUF001
    ended = r"(?=\s*(?:[;,.:(\n\-]|and\b|whose\b|with\b|\Z))"
    steps = (
        (r"^\|\s*(.*?)\s*\|$", r"\1"),
        # A sketch goes on in the next line, or its boxes do.
        (r"\s*\n\s*(?=(?:whose|and an?\b|with)\b)", " "),
        (r"((?:\bare|\bis|:)[ \t]*)\n\s*(?=[(\[])", r"\1"),
        (r"([)\]])\s*;\s*(?=[(\[]\s*[\d.])", r"\1, "),
        # Kevin Love (person, athlete); Kevin Love: person; Kevin Love - person
        (
            rf"(^|[;,]\s*)((?:(?! is )[^\n;()]){{1,200}}?)\s*"
            rf"\({kind}(?:\s*[,/;]\s*{kind})?\)(?!\s+is\b)",
            lambda m: f"{m[1]}{m[2]} is a(an) {m[3]}" + (f" and a(an) {m[4]}" if m[4] else ""),
        ),
        (
            rf"(^|;\s*)((?:(?! is )[^\n;|:]){{1,200}}?)\s*(?::|→|->|=|–|—|\s-|\|)\s*{kind}{ended}",  # noqa: RUF001
            r"\1\2 is a(an) \3",
        ),
        (rf"\b(is|and) {_ARTICLE} {kind}", r"\1 a(an) \2"),
        (rf"\bis {kind}{ended}", r"is a(an) \1"),
        (
            rf"(a\(an\) (?:{known}))\s*(?:,\s*(?:more )?(?:specifically|namely)|,|/|\()"
            rf"\s*(?:and )?(?:{_ARTICLE} )?{kind}\)?",
            r"\1 and a(an) \2",
        ),
    )
    answer = plain(answer)
    for pattern, written in steps:
        answer = re.sub(pattern, written, answer, flags=re.IGNORECASE | re.MULTILINE)
    answer = _PLACED.sub(", whose bounding boxes are ", answer)
    answer = re.sub(
        rf"(a\(an\) (?:{known}))\s*[:,|@–-]?\s*"  # noqa: RUF001
        rf"(?=[(\[<{{]+\s*[\d.]+[\s,%]|(?:{_NONE})\s*(?:[;.\n]|\Z))",
        r"\1, whose bounding boxes are ",
        answer,
        flags=re.IGNORECASE,
    )
    answer = _WHERE.sub(_canonical, answer)
    between = rf"(a\(an\) (?:{known})|[)\]]|\bNone)(?:[.,][ \t]+(?:and )?|[ \t]+and )"
    ahead = r"(?=(?!a\(an\)|whose\b|[\d(\[])[^;\n]*? is a\(an\) )"
    return re.sub(between + ahead, r"\1; ", answer, flags=re.IGNORECASE)


def _canonical(said: re.Match[str]) -> str:
    """Write what is said of boxes as the format has it, if it can be read."""
    boxes = where(said[2])
    if boxes is None:
        return said[0]
    return said[1] + (", ".join(f"({', '.join(map(repr, box))})" for box in boxes) or "None")

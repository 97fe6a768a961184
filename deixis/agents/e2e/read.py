"""Reading the records of an answer, also of a model that was not trained to write them."""

import re

from deixis.agents.reading.json_entities import entities_in_json
from deixis.agents.reading.places import where
from deixis.agents.reading.plain import plain, unmarked
from deixis.formats import e2e
from deixis.formats.answers import Parsed

_ANSWER = re.compile(r"</?answer>|\A.*</think>", re.IGNORECASE | re.DOTALL)
_OPEN = re.compile(r"<answer>", re.IGNORECASE)
_LABEL = re.compile(r"^(?:mention|text|name|entity|type|label|box(?:es)?|region)\s*[:=]\s*", re.I)
_HEADER = re.compile(
    r"^\W*(?:mention|text|name|entity)\W*\|\W*(?:entity )?type\W*\|[\W_]*(?:bounding )?"
    r"(?:box(?:es)?|region|bbox)\W*$",
    re.IGNORECASE,
)
_NEXT = re.compile(r"(?<=[\])}])\s*,\s*(?=[^|;\n\[\](){}]+\|[^|;\n]+\|)|(?<=\|none)\s*,\s*", re.I)
_NOTHING = re.compile(
    r"(?:there (?:are|is) )?no (?:named )?entit(?:y|ies)(?: (?:is|are|was|were))?"
    r"(?: (?:found|named|mentioned|present))?(?: in (?:the|this) (?:post|text))?\.?",
    re.IGNORECASE,
)


def read(answer: str) -> Parsed:
    """Read an answer as the released evaluator does; if that leaves anything out, once more.

    Then without what models put around records, and as JSON. The reading with fewer problems
    holds, so that nothing is read otherwise that the evaluator reads whole.
    """
    strict = e2e.parse(answer)
    if strict.entities and not strict.problems:
        return strict
    loose = entities_in_json(_ANSWER.sub("", answer)) or e2e.parse(_tolerated(answer))
    return loose if len(loose.problems) < len(strict.problems) else strict


def says_none(answer: str, found: Parsed) -> bool:
    """Say whether an answer of which this was read names nothing, in so many words."""
    return not found.problems and "none" in _OPEN.split(answer)[-1].casefold()


def _tolerated(answer: str) -> str:
    """Write one record a line, with fields that the format has."""
    text = plain(_ANSWER.sub("", answer))
    if _NOTHING.fullmatch(text):
        return "None"
    lines = []
    for line in re.split(r"[;\n]+", _NEXT.sub("\n", text)):
        fields = [_LABEL.sub("", unmarked(field.strip())) for field in line.strip(" |").split("|")]
        if _HEADER.match(line) or not any(fields):
            continue
        boxes = where(fields[-1]) if len(fields) > 2 else None
        if boxes is not None:
            fields[-1] = str([list(box) for box in boxes]) if boxes else "None"
        lines.append("|".join(fields))
    return "\n".join(lines)

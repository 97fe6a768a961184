"""The parts of an answer in the Prompt Format Adapter that a model did not keep to."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from deixis.agents.reading.json_entities import entities_in_json
from deixis.agents.reading.plain import json_in, plain, unmarked
from deixis.formats.pfa import LABEL, MAP

_TASK = re.compile(r"^[ \t]*task\s*([12])\s*(?:answer)?\s*[:.)\-–—][ \t]*", re.I | re.M)  # noqa: RUF001
_NER = re.compile(
    r"(?:^[ \t]*|(?<=Answer: ))(?:NER|named entities|entities|labels and entities)\s*:+",
    re.I | re.M,
)
_MAP = re.compile(r"^[ \t]*(?:image[\s-]*entit(?:y|ies)|patch(?:es)?)[\s\w-]*:", re.I | re.M)
_LABELLED = re.compile(r"(?:^|;|\A)[ \t]*:?[ \t]*([A-Za-z_]{2,20})[ \t]*[:;][ \t]*([^;:\n]+)", re.M)
_NAMED = re.compile(r"^[ \t]*([^:;()\n]+?)[ \t]*\(([A-Za-z_]{2,20})\)[ \t]*[,;.]?[ \t]*$", re.M)
_PAIR = re.compile(
    r"[\"']?(?:\b(?:image|patch)\s+)?[\"']?\b([a-z])\b[\"']?\s*(?::|=|->|→)\s*\[?\s*"
    r"(?:\"([^\"\n]+)\"|'([^'\n]+)'|([^\"',;{}\[\]\n]+))\s*\]?",
    re.IGNORECASE,
)


def tolerated(answer: str) -> str:
    """Write an answer with the markers and delimiters of the format, as far as it says as much.

    It may have markup, other words for the markers, or be JSON. Labels may stand before their
    entity with a colon alone, a line each, or behind it in brackets; patches may lack quotes or
    have the word before their letter.
    """
    if isinstance(told := json_in(answer), dict) and not MAP.search(answer):
        return _of_json(answer, told)
    text = _TASK.sub(r"Task \1 Answer: ", plain(answer))
    text = _MAP.sub("image-entity pair:", _NER.sub("NER:", text))
    before, marker, said = text.partition("image-entity pair:")
    patches = [(m[1], unmarked(m[2] or m[3] or m[4])) for m in _PAIR.finditer(said)]
    whole = not re.sub(r"[\s,;{}\-*•.]", "", _PAIR.sub("", said))
    if patches and whole and len(dict(patches)) == len(patches):
        said = f" {_patches(dict(patches))}"
    first, ner, named = before.partition("NER:")
    if ner and not LABEL.search(named) and (pairs := _labelled(named)):
        named = f" {_pairs(pairs)}\n"
    return first + ner + named + marker + said


def _labelled(said: str) -> list[tuple[str, str]]:
    """Return the labels with the entities that stand in lines of their own."""
    lines = "\n".join(unmarked(line) for line in said.splitlines())
    if named := _NAMED.findall(lines):
        return [(label, unmarked(entity)) for entity, label in named]
    return [(label, unmarked(entity)) for label, entity in _LABELLED.findall(lines)]


def _of_json(answer: str, told: Mapping[str, Any]) -> str:
    """Write an object with a summary, entities and patches, by what its keys are called."""
    folded = {str(key).casefold(): value for key, value in told.items()}

    def of(*words: str) -> Any:
        keys = (key for key in folded if any(word in key for word in words))
        return next((folded[key] for key in keys), None)

    summary, named = of("summary", "caption", "task 1", "task1"), of("ner", "entities", "task 2")
    patches, parsed = of("pair", "patch"), entities_in_json(answer)
    pairs = [(entity.type, entity.text) for entity in parsed.entities] if parsed else []
    if not pairs and isinstance(named, dict):  # {"PER": ["Ann"]}
        for label, names in named.items():
            listed = names if isinstance(names, list) else [names]
            pairs += [(label, name) for name in listed if isinstance(name, str)]
    parts = [f"Task 1 Answer: {summary}"] if isinstance(summary, str) else []
    if named is not None:
        parts.append(f"Task 2 Answer: NER: {_pairs(pairs) or 'None'}")
    if isinstance(patches, dict):
        pairing = {str(key).split()[-1]: name for key, name in patches.items() if str(key).strip()}
        parts.append(f"image-entity pair: {_patches(pairing)}")
    return "\n".join(parts) or answer


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f":{label}; {entity}" for label, entity in pairs)


def _patches(patches: Mapping[str, Any]) -> str:
    escaped = {
        letter: name.replace("\\", "\\\\").replace("'", "\\'")
        for letter, name in patches.items()
        if isinstance(name, str)
    }
    return "{" + ", ".join(f"'{letter}': '{name}'" for letter, name in escaped.items()) + "}"

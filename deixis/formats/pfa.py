"""Output in the Prompt Format Adapter of M-MRE (section 3.2).

    Task 1 Answer: Two people stand on a stage.
    Task 2 Answer: NER: :PER; Ada Lovelace:ORG; Royal Society
    image-entity pair: {'a': 'Ada Lovelace'}

Algorithm 1 calls the last two markers ``NER::`` and ``image entities pair``; they are the same.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from deixis.errors import DataError
from deixis.formats.answers import ONE, Parsed, Problem, Reading, Scale, checked
from deixis.rows import RowEntity

Part = Literal["summary", "pairs", "patches"]
PARTS: tuple[Part, ...] = ("summary", "pairs", "patches")
_FIRST = re.compile(r"\btask\s*1\s*answer\s*:", re.IGNORECASE)
_SECOND = re.compile(r"\btask\s*2\s*answer\s*:", re.IGNORECASE)
NER = re.compile(r"\bNER\s*:")
MAP = re.compile(r"\bimage[\s-]*entit(?:y|ies)[\s-]*pairs?\s*:", re.IGNORECASE)
LABEL = re.compile(r":([^:;]*);")
"""A label: what stands between the two delimiters, so that entities may hold either of them."""
_ITEM = re.compile(
    r"""(["']?)\b(\w+)\1\s*:\s*(["'])((?:\\.|(?!\3\s*(?:,\s*["']?\w+["']?\s*:|\}|\Z)).)*)\3""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\([\\'\"])")


class Answer(NamedTuple):
    """What an answer says.

    Attributes:
        summary: of the picture; empty when none was given.
        pairs: ``(entity text, label)`` in order; duplicates count.
        patches: letter of an image patch to the text of the entity that it shows.
        problems: what could not be read.
    """

    summary: str
    pairs: tuple[tuple[str, str], ...]
    patches: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


def parse_answer(answer: str) -> Answer:
    """Read all three parts; no string makes it raise."""
    problems: list[Problem] = []
    start = _cut(_FIRST, answer, 0)
    second = _cut(_SECOND, answer, start[1])
    ner = _cut(NER, answer, second[1])
    mapping = _cut(MAP, answer, ner[1])
    ends = [cut[0] for cut in (second, ner, mapping) if cut[0] >= 0] or [len(answer)]
    summary = answer[start[1] : ends[0]].strip() if start[0] >= 0 else ""
    pieces = [answer[: start[0] if start[0] >= 0 else ends[0]]]
    if second[0] >= 0:
        pieces.append(answer[second[1] : next((e for e in ends if e >= second[1]), len(answer))])
    problems += [Problem(p.strip(), "it follows no marker") for p in pieces if p.strip()]
    pairs: tuple[tuple[str, str], ...] = ()
    patches: dict[str, str] = {}
    if ner[0] >= 0:
        pairs = _pairs(answer[ner[1] : mapping[0] if mapping[0] >= 0 else None], problems)
    if mapping[0] >= 0:
        patches = _patches(answer[mapping[1] :], problems)
    return Answer(summary, pairs, patches, tuple(problems))


def _cut(marker: re.Pattern[str], answer: str, start: int) -> tuple[int, int]:
    """Return where a marker starts and ends; ``(-1, start)`` without one."""
    match = marker.search(answer, start)
    return match.span() if match else (-1, start)


def _pairs(text: str, problems: list[Problem]) -> tuple[tuple[str, str], ...]:
    labels = list(LABEL.finditer(text))
    pairs: list[tuple[str, str]] = []
    starts = [*(label.start() for label in labels), len(text)]
    before = text[: starts[0]].strip()
    if before.lower().strip(".") not in ("", "none"):
        problems.append(Problem(before, "it is not ':label; entity'"))
    for label, end in zip(labels, starts[1:], strict=True):
        entity = text[label.end() : end].strip()
        if entity and label[1].strip():
            pairs.append((entity, label[1].strip()))
        else:
            problems.append(Problem(text[label.start() : end], "its label or entity is empty"))
    return tuple(pairs)


def _patches(text: str, problems: list[Problem]) -> dict[str, str]:
    patches: dict[str, str] = {}
    for _, letter, _, quoted in _ITEM.findall(text):
        if letter in patches:
            problems.append(Problem(f"{letter}: {patches[letter]}", "the patch stands twice"))
        patches[letter] = _ESCAPE.sub(r"\1", quoted)
    rest = _ITEM.sub("", text)
    if re.sub(r"[\s,{}]", "", rest):
        problems.append(Problem(rest.strip(), "it is not {'patch': 'entity'}"))
    return patches


def write_answer(answer: Answer, parts: Collection[Part] = PARTS) -> str:
    """Write the parts of an answer, all three unless told.

    Args:
        answer: has nothing in the other parts.
        parts: those that were asked for.

    Raises:
        DataError: the text would not be read as the same, for instance since a summary holds a
            marker or an entity a colon and a semicolon.
    """
    lines: dict[Part, str] = {
        "summary": f"Task 1 Answer: {answer.summary}",
        "pairs": f"Task 2 Answer: NER: {write_pairs(answer.pairs) or 'None'}",
        "patches": f"image-entity pair: {write_patches(answer.patches)}",
    }
    text = "\n".join(lines[part] for part in PARTS if part in parts)
    if parse_answer(text) != answer:
        raise DataError(f"the format cannot hold this answer: {text[:200]!r}")
    return text


def write_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Write ``(entity text, label)`` as ``:label1; entity1:label2; entity2``."""
    return "".join(f":{label}; {entity}" for entity, label in pairs)


def write_patches(patches: Mapping[str, str]) -> str:
    """Write letters of patches and entities as ``{'a': 'entity1'}``."""
    pairs = ", ".join(f"'{letter}': '{_escape(name)}'" for letter, name in patches.items())
    return f"{{{pairs}}}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def parse(answer: str, scale: Scale | None = ONE) -> Parsed:
    """Read the entities of an answer; see `Format`. The format has no boxes."""
    reading = Reading(scale)
    whole = parse_answer(answer)
    for entity, label in whole.pairs:
        reading.add(f":{label}; {entity}", entity, label, None)
    entities, problems = reading.parsed()
    return Parsed(entities, (*whole.problems, *problems))


def write(entities: Sequence[RowEntity]) -> str:
    """Write entities without summary and patches; see `Format`.

    The format holds neither regions nor fine types.
    """
    return checked(
        entities,
        lambda entity: f":{entity.type}; {entity.text}",
        lambda pieces: f"Task 2 Answer: NER: {''.join(pieces)}",
        parse,
    )

"""Output in the Prompt Format Adapter of M-MRE (section 3.2).

    Task 1 Answer: Two people stand on a stage.
    Task 2 Answer: NER: :PER; Ada Lovelace:ORG; Royal Society
    image-entity pair: {'a': 'Ada Lovelace'}

Algorithm 1 calls the last two markers ``NER::`` and ``image entities pair``; they are the same.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deixis.errors import DataError
from deixis.formats.answers import ONE, Parsed, Problem, Reading, Scale, checked
from deixis.rows import RowEntity

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


def write_answer(answer: Answer) -> str:
    """Write all three parts.

    Raises:
        DataError: the text would not be read as the same, for instance since a summary holds a
            marker or an entity a colon and a semicolon.
    """
    pairs = "".join(f":{label}; {entity}" for entity, label in answer.pairs)
    items = ", ".join(f"'{k}': '{_escape(v)}'" for k, v in answer.patches.items())
    text = (
        f"Task 1 Answer: {answer.summary}\nTask 2 Answer: NER: {pairs}\n"
        f"image-entity pair: {{{items}}}"
    )
    if parse_answer(text) != answer:
        raise DataError(f"the format cannot hold this answer: {text[:200]!r}")
    return text


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

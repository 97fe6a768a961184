"""Synthetic pairs: texts of a text-only data set, each with the picture that fits it best.

Yuan et al. (VKEL), section III-C.1 and equation 2, and section IV-D: of the candidate pictures of
a text the one whose CLIP features have the largest cosine with those of the text; pairs below 0.3
and texts of more than 26 tokens are left out, and fine labels become the coarse types.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from deixis.base.at_once import at_once
from deixis.errors import DataError, InputError, ToolError
from deixis.evaluation.construction.samples import Sample, all_samples
from deixis.rows import RowEntity
from deixis.tools.base import Matcher, Picture

LEAST, LONGEST = 0.3, 26
AT_ONCE = 4
"""Rows whose pictures are decoded at the same time."""

Types = Mapping[str, str | None]
"""Label to coarse type; None for what is no entity there."""


class Rules(NamedTuple):
    """What is kept.

    Attributes:
        least: cosine of a pair.
        longest: words of a text, by white space.
        types: what labels become; None leaves them.
    """

    least: float = LEAST
    longest: int = LONGEST
    types: Types | None = None


class Pairs(NamedTuple):
    """Rows with their picture, and how many were kept or left out, by reason."""

    samples: list[Sample]
    counts: dict[str, int]


class _LeftOutError(Exception):
    """A row gives no pair; the message says why, alike for all such rows."""


def in_folder(folder: Path, sample: Sample) -> list[str]:
    """Return the candidates of a row: the files of the folder of its id, by name."""
    own = folder / sample.row.id
    if own.parent != folder or sample.row.id == ".." or not own.is_dir():
        return []
    return sorted(str(path) for path in own.iterdir() if path.is_file())


def of_row(rows: Path, sample: Sample) -> list[str]:
    """Return the candidates that a row names itself: paths beside the file, and URLs."""
    given = sample.row.images or ((sample.row.image,) if sample.row.image else ())
    return [each if "://" in each else str(rows / each) for each in given]


def make_pairs(
    rows: Path,
    candidates: Callable[[Sample], Sequence[str]],
    opened: Callable[[str], Picture],
    matcher: Matcher,
    rules: Rules,
    tell: Callable[[int, int], None] = lambda done, rows: None,
) -> Pairs:
    """Give each text the picture that fits it best.

    Args:
        rows: texts with entities.
        candidates: paths or URLs of the pictures of a row.
        opened: reads one.
        matcher: compares pictures and texts.
        rules: what is kept.
        tell: is told of how many rows how many are done.

    Raises:
        DataError: the rows are wrong, or none is kept.
        InputError: they cannot be read.
    """
    given = all_samples(rows)
    counts: Counter[str] = Counter(rows=len(given))
    kept = []
    pair = partial(_pair, candidates=candidates, opened=opened, matcher=matcher, rules=rules)
    jobs = [partial(pair, sample) for sample in given]
    for done, (sample, met) in enumerate(at_once(jobs, AT_ONCE), start=1):
        counts.update(met)
        kept += [sample] if sample else []
        tell(done, len(given))
    counts["pairs"] = len(kept)
    if not kept:
        raise DataError(f"{rows}: no text has a picture that fits: {dict(counts)}")
    return Pairs(kept, dict(counts))


def _pair(
    sample: Sample,
    candidates: Callable[[Sample], Sequence[str]],
    opened: Callable[[str], Picture],
    matcher: Matcher,
    rules: Rules,
) -> tuple[Sample | None, list[str]]:
    """Return a row with its picture, or None; and what was met, to be counted."""
    met: list[str] = []
    text = sample.row.text
    try:
        if len(text.split()) > rules.longest:
            raise _LeftOutError(f"left out: more than {rules.longest} words")
        entities = [*_coarse(sample.row.entities, rules.types)]
        named = candidates(sample)
        if not named:
            raise _LeftOutError("left out: no candidate picture")
        fits = {}
        for each in named:
            try:
                (fits[each],) = matcher.similarities(opened(each), [text])
            except (InputError, ToolError):
                met.append("candidate pictures that could not be used")
        if not fits:
            raise _LeftOutError("left out: no candidate picture can be used")
        best = max(fits, key=lambda each: fits[each])
        if fits[best] < rules.least:
            raise _LeftOutError(f"left out: cosine below {rules.least:g}")
    except _LeftOutError as why:
        return None, [*met, str(why)]
    return _with_picture(sample, best, entities, fits[best]), met


def _with_picture(
    sample: Sample, picture: str, entities: Sequence[RowEntity], cosine: float
) -> Sample:
    alone = {name: own for name, own in sample.data.items() if name not in ("images", "size")}
    lines = [entity.model_dump(exclude_none=True) for entity in entities]
    data = {**alone, "image": picture, "entities": lines, "similarity": round(cosine, 4)}
    return sample._replace(
        row=sample.row.model_copy(update={"image": picture}), data=data, image=picture
    )


def _coarse(entities: Sequence[RowEntity], types: Types | None) -> Iterator[RowEntity]:
    """Yield entities with the coarse types of their labels, and without boxes: nobody looked."""
    for entity in entities:
        label = entity.fine_type or entity.type
        kind = entity.type if types is None else _type_of(label, types)
        if kind is not None:
            changes = {"type": kind, "fine_type": None, "regions": None}
            yield entity.model_copy(update=changes)


def _type_of(label: str, types: Types) -> str | None:
    """Look a label up, whole, then without what follows its last ``/`` or ``-``, and so on."""
    part = label
    while part:
        if part in types:
            return types[part]
        part = re.sub(r"(?:^|[/-])[^/-]*$", "", part)
    raise _LeftOutError(f"left out: the label {label[:60]!r} has no type")


def types_in(data: Mapping[str, object], path: Path) -> Types:
    """Check a mapping of labels that was read from a file.

    Raises:
        DataError: a label has something else than a name or null.
    """
    for label, kind in data.items():
        if kind is not None and not isinstance(kind, str):
            raise DataError(f"{path}: {label!r} is to be the name of a type, or null; got {kind!r}")
    return {label: None if kind is None else str(kind) for label, kind in data.items()}

"""M-MRE (Gan et al., 2025): Twitter-GMNER with a summary of each picture and lettered patches.

The release is not public as far as we know, and the paper does not show its files; what is read
here is our own, made of what section 3.1 says there is. The paper has 5,533 samples, so not every
tweet of Twitter-GMNER has a summary.
"""

from collections import Counter

from pydantic import BaseModel, Field, model_validator

from deixis.agents.context.patches import letter
from deixis.base.boxes import Box
from deixis.errors import DataError
from deixis.evaluation.datasets.conll import read_conll
from deixis.evaluation.datasets.gmner import grounded
from deixis.evaluation.datasets.source import Converted, Source, read_records
from deixis.evaluation.datasets.tweets import TEXT_QUIRKS
from deixis.evaluation.datasets.voc import Annotation, read_annotations
from deixis.rows import Row, RowId

QUIRKS = (
    "tweets without a summary (left out)",
    "summaries with patches of their own",
    "patches",
    "patches that show no entity",
)


class Patch(BaseModel, frozen=True, allow_inf_nan=False):
    """A part of the picture that is handed to a model under a letter.

    ``entity`` is the text of the entity that it shows, None when it shows none.
    """

    letter: str = Field(pattern="^[a-z]{1,2}$")
    box: Box
    entity: str | None = None


class MmreRow(Row):
    """A row of M-MRE: what the picture shows in words, and its patches."""

    summary: str = Field(min_length=1)
    patches: tuple[Patch, ...] = ()


class _Summary(BaseModel):
    id: RowId
    summary: str = Field(min_length=1)
    patches: tuple[Patch, ...] | None = None

    @model_validator(mode="after")
    def _check(self) -> "_Summary":
        letters = [patch.letter for patch in self.patches or ()]
        if len(set(letters)) != len(letters):
            raise ValueError(f"a letter stands twice in {', '.join(letters)}")
        for x1, y1, x2, y2 in (patch.box for patch in self.patches or ()):
            if x2 <= x1 or y2 <= y1:
                raise ValueError(f"a box needs x1 < x2 and y1 < y2; got {(x1, y1, x2, y2)}")
        return self


def read_mmre(source: Source) -> Converted:
    """Read the files of Twitter-GMNER and ``SPLIT.summaries.jsonl`` beside ``SPLIT.txt``.

    Its lines are ``{"id": "12", "summary": "Two people on a stage."}``, if need be with
    ``"patches": [{"letter": "a", "box": [x1, y1, x2, y2], "entity": "Ada Lovelace"}]``; without
    them every box of the sample's box file is a patch, lettered a, b, c, ... in that order.
    Rows are `MmreRow`; tweets without a summary are left out and counted.

    Raises:
        DataError: a file does not parse, or a summary or patch names what is not there.
        InputError: a file is not there.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys((*QUIRKS, *TEXT_QUIRKS), 0))
    tweets = read_conll(source.file(".txt", "txt"), allow_orphans=True)
    known = {tweet.id for tweet in tweets}
    summaries: dict[str, tuple[str, _Summary]] = {}
    for where, record in read_records(source.file(".summaries.jsonl", "txt"), _Summary):
        if record.id not in known:
            raise DataError(f"{where}: there is no tweet {record.id!r} in this split")
        if record.id in summaries:
            raise DataError(f"{where}: the id {record.id!r} stands twice")
        summaries[record.id] = where, record
    counts[QUIRKS[0]] = len(tweets) - len(summaries)
    annotations = read_annotations(source.boxes())
    chosen = [tweet for tweet in tweets if tweet.id in summaries]
    rows = []
    for row in grounded(source, chosen, annotations, counts).rows:
        where, record = summaries[row.id]
        texts = {entity.text for entity in row.entities}
        patches = _patches(record, annotations.get(row.id), texts)
        for patch in record.patches or ():
            if patch.entity is not None and patch.entity not in texts:
                raise DataError(
                    f"{where}: patch {patch.letter!r}: there is no entity {patch.entity!r}"
                )
        counts[QUIRKS[1]] += record.patches is not None
        counts[QUIRKS[2]] += len(patches)
        counts[QUIRKS[3]] += sum(patch.entity is None for patch in patches)
        rows.append(MmreRow(**dict(row), summary=record.summary, patches=patches))
    return Converted(tuple(rows), dict(counts))


def _patches(record: _Summary, annotation: Annotation | None, texts: set[str]) -> tuple[Patch, ...]:
    if record.patches is not None:
        return record.patches
    objects = annotation.objects if annotation else ()
    return tuple(
        Patch(letter=letter(number), box=box, entity=name if name in texts else None)
        for number, (name, box) in enumerate(objects)
    )

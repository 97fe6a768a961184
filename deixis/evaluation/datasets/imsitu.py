"""imSitu (Yatskar et al., CVPR 2016): one verb for a picture, and what fills its roles.

The release (github.com/my89/imSitu) has ``train.json``, ``dev.json`` and ``test.json``,
``{picture: {"verb", "frames": [{role: synset}, ...]}}`` with a frame of each of three annotators,
in which an empty string says that nothing fills the role; ``imsitu_space.json`` has words for the
synsets, ``{"nouns": {synset: {"gloss": [...]}}}``. SWiG (Pratt et al., ECCV 2020;
github.com/allenai/swig) has the same files with ``height``, ``width`` and ``bb``, ``{role: [x1,
y1, x2, y2]}``, of -1 where the thing is not to be seen.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from deixis.evaluation.datasets.json_files import (
    NOT_FOUND,
    file_of,
    misfit,
    picture_of,
    read_json,
    unique,
)
from deixis.evaluation.datasets.source import Converted, Source
from deixis.formats.muie_rows import Argument, Event, MuieEntity, MuieRow
from deixis.rows import RowRegion

QUIRKS = (
    "roles",
    "roles that annotators fill differently (the most frequent counts, or else the first)",
    "roles that nothing fills (left out)",
    "things with a box (SWiG)",
    NOT_FOUND,
)
_Box = tuple[float, float, float, float]


class _Situation(BaseModel):
    verb: str = Field(min_length=1)
    frames: Annotated[list[dict[str, str]], Field(min_length=1)]
    height: int | None = None
    width: int | None = None
    bb: dict[str, _Box] | None = None


class _Noun(BaseModel):
    gloss: Annotated[list[str], Field(min_length=1)]


class _Space(BaseModel):
    nouns: dict[str, _Noun]


_Situations = TypeAdapter(dict[str, _Situation])
_Nouns = TypeAdapter(_Space)


def read_imsitu(source: Source) -> Converted:
    """Read ``SPLIT.json`` and ``imsitu_space.json``, here or in ``SWiG_jsons``.

    The event of a row is the verb, without a trigger; an argument is an entity with the first
    word of its synset. Pictures: the folder that is given, or ``images_512``,
    ``of500_images_resized`` or ``images``.

    Raises:
        DataError: a file does not parse, or a synset has no word.
        InputError: a file is not there.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    path = file_of(source, [f"{source.split}.json"], "SWiG_jsons")
    nouns = read_json(file_of(source, ["imsitu_space.json"], "SWiG_jsons"), _Nouns).nouns
    rows: dict[str, MuieRow] = {}
    for picture, situation in read_json(path, _Situations).items():
        filled = _filled(situation, counts)
        if unknown := [synset for synset in filled.values() if synset not in nouns]:
            raise misfit(path, (picture,), f"{unknown[0]!r} is no noun of imsitu_space.json")
        words = {role: nouns[synset].gloss[0] for role, synset in filled.items()}
        entities = tuple(_entity(role, word, situation, counts) for role, word in words.items())
        roles = tuple(Argument(role=role, entity=number) for number, role in enumerate(words))
        identity = unique(Path(picture).stem or picture, rows)
        shown = picture_of(source, picture, counts, "images_512", "of500_images_resized", "images")
        rows[identity] = MuieRow(
            id=identity,
            task="ee",
            dataset="imSitu",
            entities=entities,
            events=(Event(type=situation.verb, arguments=roles),),
            **{**shown, **_size(situation)},
        )
    return Converted(tuple(rows.values()), dict(counts))


def _filled(situation: _Situation, counts: Counter[str]) -> dict[str, str]:
    """Return the synset of each role that something fills, as most annotators say."""
    filled = {}
    for role in dict.fromkeys(role for frame in situation.frames for role in frame):
        said = Counter(frame[role] for frame in situation.frames if role in frame)
        synset = said.most_common(1)[0][0]
        counts[QUIRKS[0]] += 1
        counts[QUIRKS[1]] += len(said) > 1
        counts[QUIRKS[2]] += not synset
        if synset:
            filled[role] = synset
    return filled


def _entity(role: str, word: str, situation: _Situation, counts: Counter[str]) -> MuieEntity:
    regions: tuple[RowRegion, ...] | None = None
    if situation.bb is not None:
        x1, y1, x2, y2 = box = situation.bb.get(role, (-1.0, -1.0, -1.0, -1.0))
        regions = (RowRegion(box=box),) if x1 < x2 and y1 < y2 else ()
    counts[QUIRKS[3]] += bool(regions)
    return MuieEntity(text=word, type="entity", regions=regions)


def _size(situation: _Situation) -> dict[str, Any]:
    """Return the size that boxes count in, which is not that of a picture made smaller."""
    known = situation.width and situation.height
    return {"size": (situation.width, situation.height)} if known else {}

"""M3D (github.com/solkx/m3d): what is said in a video, with chains of mentions and relations.

``data/en/dev_en.json`` and the like are lists of ``{"doc", "time_sent_pair": {"0-11": sentence},
"entityLink": {"L0": {"type", "link": [{"type", "start", "end", "text", "sent_time"}]}},
"relation": [{"link1", "link2", "type": "PER-LOC_residence"}], "video_id", "lang"}``. The English
``doc`` is of words with blanks between them, the Chinese one is counted by character; places are
half-open. Frames with boxes of types lie in ``img/VIDEO_ID`` (a download of their own); which
entity a box is of is not said.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from deixis.base.gathering import files_in
from deixis.base.image_files import upright_size
from deixis.evaluation.datasets.json_files import file_of, misfit, read_json, unique
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.words import Words
from deixis.formats.muie_rows import MuieEntity, MuieRow, Relation

_FRAMES = (".jpg", ".jpeg", ".png")
QUIRKS = (
    "chains of mentions",
    "further mentions of a chain (left out, the first in the text counts)",
    "mentions whose words are others than their place says (the place counts)",
    "relations",
    "relations whose first link is of the second type (turned round)",
    "relations that stand twice",
    "rows with frames",
)


class _Mention(BaseModel):
    type: str
    start: int
    end: int
    text: str


class _Chain(BaseModel):
    type: str = Field(min_length=1)
    link: Annotated[list[_Mention], Field(min_length=1)]


class _Pair(BaseModel):
    link1: str
    link2: str
    type: str = Field(min_length=1)


class _Document(BaseModel):
    doc: str
    entityLink: dict[str, _Chain]
    relation: list[_Pair]
    video_id: str | None = None
    lang: str = "en"


_Documents = TypeAdapter(list[_Document])


def read_m3d(source: Source) -> Converted:
    """Read ``SPLIT.json`` (``dev_en``, ``test_zh``), here or in ``data/en`` or ``data/zh``.

    A chain is an entity at the place of its first mention; the sentence of a mention has seconds
    of the video, the mention itself has none, so entities have no spans. ``PER-LOC_residence`` goes
    from the person to the place, whichever link comes first. ``images`` are the frames, where the
    folder ``img`` (or the one that is given) has them.

    Raises:
        DataError: the file does not parse, or names a link or words that are not there.
        InputError: the file is not there.
        OSError: the file cannot be read.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    path = file_of(source, [f"{source.split}.json"], "data/en", "data/zh")
    rows: dict[str, MuieRow] = {}
    documents = read_json(path, _Documents)
    for number, document in enumerate(documents):
        identity = unique(document.video_id or f"{source.split}-{number}", rows)
        try:
            row = _row(identity, document, counts)
        except ValueError as error:
            raise misfit(path, (number,), error) from None
        frames = _frames(source, document.video_id or "")
        counts[QUIRKS[6]] += bool(frames)
        if frames:
            names = tuple(map(source.from_rows, frames))
            shown = {"image": names[0], "images": names, "size": upright_size(frames[0])}
            row = row.model_copy(update=shown)
        rows[identity] = row
    return Converted(tuple(rows.values()), dict(counts))


def _row(identity: str, document: _Document, counts: Counter[str]) -> MuieRow:
    chinese = document.lang == "zh"
    words = Words.joined(
        list(document.doc) if chinese else document.doc.split(" "), "" if chinese else " "
    )
    entities = []
    for chain in document.entityLink.values():
        first = min(chain.link, key=lambda mention: mention.start)
        place = words.cut(first.start, first.end)
        counts[QUIRKS[2]] += place["text"] != first.text
        entities.append(MuieEntity(type=chain.type, **place))
        counts[QUIRKS[1]] += len(chain.link) - 1
    relations = dict.fromkeys(
        _relation(pair, document.entityLink, counts) for pair in document.relation
    )
    counts[QUIRKS[0]] += len(entities)
    counts[QUIRKS[3]] += len(document.relation)
    counts[QUIRKS[5]] += len(document.relation) - len(relations)
    return MuieRow(
        id=identity,
        task="re",
        dataset="M3D",
        text=words.text,
        entities=tuple(entities),
        relations=tuple(relations),
    )


def _relation(pair: _Pair, chains: dict[str, _Chain], counts: Counter[str]) -> Relation:
    """Return a relation, its subject of the first type of the label; ValueError if it cannot."""
    ends = [pair.link1, pair.link2]
    if unknown := [end for end in ends if end not in chains]:
        raise ValueError(f"relation: there is no link {unknown[0]!r} in entityLink")
    sides = pair.type.partition("_")[0].split("-")
    turned = len(set(sides)) == 2 and [chains[end].type for end in ends] == sides[::-1]
    counts[QUIRKS[4]] += turned
    places = {name: number for number, name in enumerate(chains)}
    subject, object_ = reversed(ends) if turned else ends
    return Relation(subject=places[subject], type=pair.type, object=places[object_])


def _frames(source: Source, video: str) -> list[Path]:
    folder = (source.images or source.folder / "img") / video
    if not video or Path(video).name != video or not folder.is_dir():
        return []
    return sorted(path for suffix in _FRAMES for path in files_in(folder, suffix))

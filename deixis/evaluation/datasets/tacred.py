"""Re-TACRED (Stoica et al., AAAI 2021) and TACRED (Zhang et al., EMNLP 2017): relations.

TACRED is licensed (LDC2018T24). Re-TACRED is a patch of its labels by id; its authors' script
(github.com/gstoica27/Re-TACRED) makes of both files of TACRED's layout, which are read here:
``train.json``, ``dev.json`` and ``test.json``, lists of ``{"id", "token", "relation",
"subj_start", "subj_end", "subj_type", "obj_start", "obj_end", "obj_type"}``, whose places count
tokens and include the last one.
"""

from collections import Counter

from pydantic import BaseModel, Field, TypeAdapter

from deixis.evaluation.datasets.json_files import file_of, misfit, read_json
from deixis.evaluation.datasets.source import Converted, Source
from deixis.evaluation.datasets.words import Words
from deixis.formats.muie_rows import MuieEntity, MuieRow, Relation

_NONE = "no_relation"
QUIRKS = ("rows with a relation", "rows without one (no_relation)")


class _Pair(BaseModel):
    id: str = Field(min_length=1)
    token: list[str]
    relation: str = Field(min_length=1)
    subj_start: int
    subj_end: int
    subj_type: str
    obj_start: int
    obj_end: int
    obj_type: str


_Pairs = TypeAdapter(list[_Pair])


def read_retacred(source: Source) -> Converted:
    """Read ``SPLIT.json``, here or in ``Re-TACRED`` or ``data/json``: one pair of names to a row.

    ``no_relation`` is no relation. The speech that the benchmark of MUIE made of the sentences is
    not public, so rows have no sound.

    Raises:
        DataError: the file does not parse, or a place has no tokens.
        InputError: the file is not there.
        OSError: the file cannot be read.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    path = file_of(source, [f"{source.split}.json"], "Re-TACRED", "data/json")
    rows: dict[str, MuieRow] = {}
    pairs = read_json(path, _Pairs)
    for number, pair in enumerate(pairs):
        try:
            if pair.id in rows:
                raise ValueError(f"the id {pair.id!r} stands twice")
            rows[pair.id] = _row(pair)
        except ValueError as error:
            raise misfit(path, (number,), error) from None
        counts[QUIRKS[not rows[pair.id].relations]] += 1
    return Converted(tuple(rows.values()), dict(counts))


def _row(pair: _Pair) -> MuieRow:
    words = Words.joined(pair.token)
    subject = MuieEntity(type=pair.subj_type, **words.cut(pair.subj_start, pair.subj_end + 1))
    object_ = MuieEntity(type=pair.obj_type, **words.cut(pair.obj_start, pair.obj_end + 1))
    none = pair.relation == _NONE
    return MuieRow(
        id=pair.id,
        task="re",
        dataset="ReTACRED",
        text=words.text,
        entities=(subject, object_),
        relations=() if none else (Relation(subject=0, type=pair.relation, object=1),),
    )

"""VidSitu (Sadhu et al., CVPR 2021): five events of a ten-second clip, with verbs and roles.

The release (github.com/TheShadow29/VidSitu, data/README.md) has
``vseg_ann_files/vsann_SPLIT_lb.json``, a list with ``{"Ev1": {"vid_seg_int", "Verb", "VerbID",
"Args": {name: text}, "Arg_List", "EvRel"}, ..., "Ev5"}`` for each annotation of a clip, and
``split_files/vseg_split_SPLIT_lb.json``, the clips of the split. Event n takes the seconds from
2n - 2 to 2n of its clip. Names of arguments are written out (``Arg0 (driver)``, ``ArgM
(manner)``, ``Scene of the Event``); the authors' scorer makes Arg0, AMnr and AScn of them.
Arguments of one clip with the same text are the same thing.
"""

import re
from collections import Counter

from pydantic import BaseModel, Field, TypeAdapter

from deixis.errors import InputError
from deixis.evaluation.datasets.json_files import NOT_FOUND, file_of, medium_of, misfit, read_json
from deixis.evaluation.datasets.source import Converted, Source
from deixis.formats.muie_rows import Argument, Event, MuieEntity, MuieRow

_EVENTS = ("Ev1", "Ev2", "Ev3", "Ev4", "Ev5")
_NUMBERED = re.compile(r"(Arg[0-5])\b")
_MODIFIERS = {
    "direction": "ADir",
    "purpose": "APrp",
    "manner": "AMnr",
    "location": "ALoc",
    "goal": "AGol",
}
_VIDEOS = ("videos", "vsitu_video_trimmed_dir")
NO_VIDEO = NOT_FOUND.replace("pictures", "clips")
QUIRKS = (
    "clips without an annotation (left out)",
    "further annotations of a clip (left out, the first counts)",
    "events",
    "arguments",
    "arguments without a text (left out)",
    "relations between events (left out)",
    NO_VIDEO,
)


class _Event(BaseModel):
    vid_seg_int: str = Field(min_length=1)
    VerbID: str = Field(min_length=1)
    Args: dict[str, str]
    EvRel: str | None = None


_Annotations = TypeAdapter(list[dict[str, _Event]])
_Clips = TypeAdapter(list[str])


def read_vidsitu(source: Source) -> Converted:
    """Read the annotations of a split (``train``, ``valid``), here or in ``vidsitu_annotations``.

    A row is a clip, without a text. The type of an event is its ``VerbID``; it has no trigger,
    and its seconds, which a row has no place for, are left out. Nobody looked where the arguments
    are to be seen. Clips are ``ID.mp4`` in the folder that is given, or in ``videos``.

    Raises:
        DataError: a file does not parse, or an argument has a name of another form.
        InputError: the annotations are not there.
        OSError: a file cannot be read.
    """
    counts = Counter(dict.fromkeys(QUIRKS, 0))
    homes = ("vseg_ann_files", "vidsitu_annotations/vseg_ann_files")
    path = file_of(source, [f"vsann_{source.split}_lb.json"], *homes)
    rows: dict[str, MuieRow] = {}
    annotations = read_json(path, _Annotations)
    for number, annotation in enumerate(annotations):
        events = {name: annotation[name] for name in _EVENTS if name in annotation}
        if not events:
            raise misfit(path, (number,), f"there is none of {', '.join(_EVENTS)}")
        clip = next(iter(events.values())).vid_seg_int
        if clip in rows:
            counts[QUIRKS[1]] += 1
            continue
        try:
            rows[clip] = _row(source, clip, events, counts)
        except ValueError as error:
            raise misfit(path, (number,), error) from None
    wanted = _clips(source) or list(rows)
    counts[QUIRKS[0]] = sum(clip not in rows for clip in wanted)
    return Converted(tuple(rows[clip] for clip in wanted if clip in rows), dict(counts))


def _clips(source: Source) -> list[str]:
    """Return the clips of the split, none if no file says which they are."""
    name = f"vseg_split_{source.split}_lb.json"
    try:
        path = file_of(source, [name], "split_files", "vidsitu_annotations/split_files")
    except InputError:
        return []
    clips = read_json(path, _Clips)
    return list(dict.fromkeys(clips))


def _row(source: Source, clip: str, events: dict[str, _Event], counts: Counter[str]) -> MuieRow:
    places: dict[str, int] = {}
    made = []
    for event in events.values():
        filled = {name: text.strip() for name, text in event.Args.items()}
        counts[QUIRKS[3]] += len(filled)
        counts[QUIRKS[4]] += sum(not text for text in filled.values())
        counts[QUIRKS[5]] += event.EvRel not in {None, "", "Null", "NoRel"}
        arguments = tuple(
            Argument(role=_role(name), entity=places.setdefault(text, len(places)))
            for name, text in filled.items()
            if text
        )
        made.append(Event(type=event.VerbID, arguments=arguments))
    counts[QUIRKS[2]] += len(made)
    video = medium_of(source, f"{clip}.mp4", *_VIDEOS)
    counts[NO_VIDEO] += not video.is_file()
    return MuieRow(
        id=clip,
        task="ee",
        dataset="VidSitu",
        video=source.from_rows(video),
        entities=tuple(MuieEntity(text=text, type="entity") for text in places),
        events=tuple(made),
    )


def _role(name: str) -> str:
    """Return the short name of an argument; ValueError if it has none."""
    if name.strip().casefold() == "scene of the event":
        return "AScn"
    if numbered := _NUMBERED.match(name):
        return numbered[1]
    for word, short in _MODIFIERS.items():
        if name.startswith("ArgM") and word in name:
            return short
    raise ValueError(f"{name[:60]!r} is no name of an argument that VidSitu has")

"""The regions of one annotation of Label Studio, each with all that is said of it."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from deixis.base import masks
from deixis.exchange.label_studio_masks import decode_mask
from deixis.exchange.label_studio_terms import KEY
from deixis.exchange.shapes import is_near, mask_of_polygons, number, region_of_mask, whole

_FORMS = {"labels", "rectanglelabels", "brushlabels", "polygonlabels"}
_OURS = ("name-", "fine-", "seen-")


class Annotation(NamedTuple):
    """What one person has said of a task: results, and who it was."""

    results: list[Any]
    by: str | None


class Part(NamedTuple):
    """One region.

    ``kind`` is ``name`` or ``trigger`` (in the text), ``box``, ``mask`` or ``polygon``, ``sound``
    or ``trigger-sound``, ``track``. ``content`` are characters, a region, seconds or frames.
    """

    id: str
    kind: str
    label: str
    content: dict[str, Any]
    hidden: dict[str, Any]
    name: str | None = None
    fine: str | None = None
    flags: tuple[str, ...] = ()


def result_list(task: dict[str, Any]) -> Annotation | str:
    """Return the annotation of a task that counts, or why there is none."""
    if "data" not in task:
        return _minimal(task)
    given = task.get("annotations", task.get("completions"))
    given = given if isinstance(given, list) else []
    there = [each for each in given if isinstance(each, dict)]
    left = [each for each in there if not each.get("was_cancelled")]
    if not left:
        return "everybody skipped this task" if there else "nobody has annotated this task"
    last = max(enumerate(left), key=lambda pair: (_when(pair[1]), pair[0]))[1]
    results = last.get("result")
    if not isinstance(results, list):
        return "an annotation without a list of results"
    by = last.get("completed_by")
    by = (by.get("email") or by.get("id")) if isinstance(by, dict) else by
    return Annotation(results, None if by is None else str(by))


def _when(annotation: dict[str, Any]) -> str:
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


def _minimal(task: dict[str, Any]) -> Annotation | str:
    """Return the results of JSON-MIN, which has neither arrows nor what is said of regions."""
    shapes = {
        name: each
        for name, each in task.items()
        if isinstance(each, list) and each and all(isinstance(one, dict) for one in each)
    }
    if len(shapes) > 1 or any(name.startswith(_OURS) for name in task):
        return "JSON-MIN does not say which region belongs to which name; export as JSON"
    results = [
        {"id": f"{name}-{number}", "from_name": name, "type": "", "value": one, **one}
        for name, ones in shapes.items()
        for number, one in enumerate(ones)
    ]
    by = task.get("annotator")
    return Annotation(results, None if by is None else str(by))


def parts_of(results: list[Any], text: str, problems: list[str]) -> dict[str, Part]:
    """Return the regions by their ids, in their order; what is wrong is added to `problems`."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for number_, result in enumerate(results, start=1):
        if not isinstance(result, dict) or not isinstance(result.get("value", {}), dict):
            problems.append(f"result {number_} is no object with a value")
        elif result.get("type") != "relation":
            grouped.setdefault(str(result.get("id")), []).append(result)
    parts = {}
    for id_, group in grouped.items():
        try:
            parts[id_] = _part(id_, group, text)
        except ValueError as error:
            problems.append(f"left out the region {id_!r}: {error}")
    return parts


def _part(id_: str, group: list[dict[str, Any]], text: str) -> Part:
    kind, result = next(_shaped(group), ("", {}))
    if not kind:
        raise ValueError(f"{str(group[0].get('type'))[:40]!r} is not read")
    hidden = _hidden(result)
    label = next(filter(None, map(_label, group)), None)
    if label is None:
        raise ValueError("it has no label")
    content = _READ[kind](result, text)
    if kind in {"name", "sound"} and str(result.get("from_name")).startswith("trigger"):
        kind = {"name": "trigger", "sound": "trigger-sound"}[kind]
    names = [each for one in group for each in _strings(one, "textarea", "text")]
    paths = [one["value"].get("taxonomy") for one in group if one.get("type") == "taxonomy"]
    flags = tuple(each for one in group for each in _strings(one, "choices", "choices"))
    # A fine type that stood under another type is of that one.
    fine = next((p[0][-1] for p in paths if _is_path(p)), None)
    named = names[-1].strip() or None if names else None
    return Part(id_, kind, label, content, hidden, named, fine, flags)


def _is_path(given: Any) -> bool:
    first = given[0] if isinstance(given, list) and given else None
    return isinstance(first, list) and len(first) > 1 and isinstance(first[-1], str)


def _shaped(group: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the results of a region that say where it is, and what kind of region that makes."""
    for result in group:
        value = result.get("value", {})
        if "sequence" in value:
            yield "track", result
        elif "rle" in value:
            yield "mask", result
        elif "points" in value:
            yield "polygon", result
        elif {"x", "y", "width", "height"} <= value.keys():
            yield "box", result
        elif "start" in value and "end" in value:
            heard = result.get("to_name") == "audio" or "channel" in value
            yield "sound" if heard or "original_length" in result else "name", result


def _hidden(result: dict[str, Any]) -> dict[str, Any]:
    meta = result.get("meta")
    hidden = meta.get(KEY) if isinstance(meta, dict) else None
    return hidden if isinstance(hidden, dict) else {}


def _label(result: dict[str, Any]) -> str | None:
    value = result.get("value", {})
    labels = next((value[form] for form in _FORMS if value.get(form)), None)
    first = labels[0] if isinstance(labels, list) else None
    return first if isinstance(first, str) else None


def _strings(result: dict[str, Any], form: str, key: str) -> list[str]:
    given = result.get("value", {}).get(key) if result.get("type") == form else None
    given = [given] if isinstance(given, str) else given
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []


def _size(result: dict[str, Any]) -> tuple[int, int]:
    if result.get("image_rotation"):
        raise ValueError("its picture was turned; turn it back, and save the annotation again")
    width, height = (result.get(f"original_{side}") for side in ("width", "height"))
    return whole(width, "original_width", 1), whole(height, "original_height", 1)


def box_of(value: dict[str, Any], width: int, height: int) -> list[float]:
    """Return the box of a rectangle, which may be turned about its upper left corner."""
    x, y, wide, high = (number(value[name], name) for name in ("x", "y", "width", "height"))
    left, top = x * width / 100, y * height / 100
    across, down = wide * width / 100, high * height / 100
    turn = math.radians(number(value.get("rotation") or 0, "rotation"))
    if not turn:
        return [left, top, left + across, top + down]
    cos, sin = math.cos(turn), math.sin(turn)
    corners = ((0.0, 0.0), (across, 0.0), (0.0, down), (across, down))
    xs, ys = zip(*((a * cos - d * sin, a * sin + d * cos) for a, d in corners), strict=True)
    return [left + min(xs), top + min(ys), left + max(xs), top + max(ys)]


def _picture(result: dict[str, Any]) -> dict[str, int]:
    place = result.get("item_index", result["value"].get("item_index"))
    place = whole(place or 0, "item_index")
    return {"image": place} if place else {}


def _read_box(result: dict[str, Any], _text: str) -> dict[str, Any]:
    region: dict[str, Any] = {"box": box_of(result["value"], *_size(result))}
    masked = _hidden(result).get("mask")
    if isinstance(masked, dict) and is_near(region["box"], masked.get("box")):
        region["mask"] = masked.get("mask")
    return region | _picture(result)


def _read_mask(result: dict[str, Any], _text: str) -> dict[str, Any]:
    value = result["value"]
    if value.get("format", "rle") != "rle" or not isinstance(value["rle"], list):
        raise ValueError("a mask is read as RLE")
    return {"dense": decode_mask(value["rle"], *_size(result))} | _picture(result)


def _read_polygon(result: dict[str, Any], _text: str) -> dict[str, Any]:
    width, height = _size(result)
    points = result["value"]["points"]
    if not isinstance(points, list) or not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise ValueError("a polygon is a list of points")
    sides = (width / 100, height / 100)
    flat = [
        number(each, "a point") * side for p in points for each, side in zip(p, sides, strict=True)
    ]
    mask = mask_of_polygons([flat], width, height)
    box = [min(flat[::2]), min(flat[1::2]), max(flat[::2]), max(flat[1::2])]
    return {"box": box, "mask": mask} | _picture(result)


def _read_sound(result: dict[str, Any], _text: str) -> dict[str, Any]:
    value = result["value"]
    return {"span": [number(value["start"], "start"), number(value["end"], "end")]}


def _read_track(result: dict[str, Any], _text: str) -> dict[str, Any]:
    """Return boxes in hundredths by frame, from 0: Label Studio does not know the video's size."""
    sequence = result["value"]["sequence"]
    if not isinstance(sequence, list) or not all(isinstance(each, dict) for each in sequence):
        raise ValueError("a sequence is a list of objects")
    sides = ("x", "y", "width", "height")
    if not sequence or not all({"frame", *sides} <= each.keys() for each in sequence):
        raise ValueError("a frame of a sequence without x, y, width, height and frame")
    shapes = [
        {name: number(each.get(name) or 0, name) for name in (*sides, "rotation")}
        for each in sequence
    ]
    indices = [whole(each["frame"], "frame", 1) - 1 for each in sequence]
    return {"frames": dict(zip(indices, shapes, strict=True))}


def _read_name(result: dict[str, Any], text: str) -> dict[str, Any]:
    value = result["value"]
    offsets = value.get("globalOffsets")
    offsets = offsets if isinstance(offsets, dict) else value
    start, end = (whole(offsets.get(side), side) for side in ("start", "end"))
    said = value.get("text") if isinstance(value.get("text"), str) else None
    if not _is_said(text[start:end], said):
        # Versions before 1.4 count as JavaScript does: what is beyond U+FFFF is two characters.
        units = text.encode("utf-16-le", "surrogatepass")
        before, inside = units[: 2 * start], units[2 * start : 2 * end]
        counted = len(before.decode("utf-16-le", "replace"))
        old = inside.decode("utf-16-le", "replace")
        if not _is_said(old, said) or text[counted : counted + len(old)] != old:
            raise ValueError(f"{said!r} does not stand at {start}:{end} in the text")
        start, end = counted, counted + len(old)
    if not text[start:end]:
        raise ValueError(f"nothing stands at {start}:{end} in the text")
    return {"start": start, "end": min(end, len(text)), "text": text[start:end]}


def _is_said(there: str, said: str | None) -> bool:
    """Say whether a text is what Label Studio says it is: it writes ends of lines as it likes."""
    if said is None:
        return True
    return "".join(there.split()) == "".join(said.replace("\\n", "\n").split())


_READ = {
    "box": _read_box,
    "mask": _read_mask,
    "polygon": _read_polygon,
    "sound": _read_sound,
    "track": _read_track,
    "name": _read_name,
}


def as_region(content: dict[str, Any]) -> dict[str, Any]:
    """Return the region of a mask that has no box of its own; others stay."""
    if "dense" not in content:
        return content
    image = {"image": content["image"]} if "image" in content else {}
    return region_of_mask(content["dense"]) | image


def with_mask(region: dict[str, Any], dense: Any) -> dict[str, Any]:
    """Return a region with a mask."""
    return {"box": region["box"], "mask": masks.encode(dense), **region}

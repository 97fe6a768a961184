"""What people have annotated in Label Studio, as gold rows.

A region that no arrow ties to a name in the text is an entity that the text does not name. Of
several annotations of a task, the one that was changed last counts.
"""

from collections.abc import Iterator
from typing import Any

from deixis.exchange.checking import checked
from deixis.exchange.label_studio_links import Links
from deixis.exchange.label_studio_parts import parts_of, result_list
from deixis.exchange.label_studio_terms import KEY
from deixis.rows import Problem, id_of


def rows_of(task: Any, number: int) -> Iterator[dict[str, Any] | Problem]:
    """Yield the row of a task, and what is wrong with it or had to be left out.

    Args:
        task: as Label Studio exports it.
        number: of the task in its file, from 1.
    """
    if not isinstance(task, dict):
        yield Problem(number, None, "no task: an object with data and annotations is expected")
        return
    data = task.get("data") if "data" in task else task
    if not isinstance(data, dict):
        yield Problem(number, None, "the data of the task are no object")
        return
    kept = _object(data.get(KEY))
    given = _object(kept.get("row"))
    ids = (given.get("id"), data.get("id"), task.get("id"), number)
    id_ = next(str(id_of(each)) for each in ids if isinstance(id_of(each), str) and each != "")
    annotation = result_list(task)
    if isinstance(annotation, str):
        yield Problem(number, id_, annotation)
        return
    text = data.get("text")
    row = {"id": id_, "text": text if isinstance(text, str) else "", **_media(given, data)}
    problems: list[str] = []
    parts = parts_of(annotation.results, row["text"], problems)
    row |= Links(parts, annotation.results, kept, row, problems).content()
    if annotation.by is not None:
        row["annotator"] = annotation.by
    for problem in problems:
        yield Problem(number, id_, problem)
    yield checked(row, number)


def _object(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _media(given: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return the media as the row had them; those of the task, where it was made elsewhere."""
    if given:
        return {"image": None} | {name: each for name, each in given.items() if name != "id"}
    named = {name: data.get(name) for name in ("image", "audio", "video")}
    media: dict[str, Any] = {n: each for n, each in named.items() if isinstance(each, str) and each}
    images = data.get("images")
    if isinstance(images, list) and images and all(isinstance(each, str) for each in images):
        media |= {"image": images[0]} | ({"images": images} if len(images) > 1 else {})
    return {"image": None} | media

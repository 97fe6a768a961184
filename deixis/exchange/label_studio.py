"""Label Studio: results as tasks to correct, and what people have made of them as gold rows."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from deixis.base.atomic import whole_file
from deixis.base.json_lines import listed
from deixis.base.text_files import read_text
from deixis.errors import DataError, InputError
from deixis.exchange.items import Exporter, How, Importer, Item, Written
from deixis.exchange.label_studio_config import Media, config_of
from deixis.exchange.label_studio_read import rows_of
from deixis.exchange.label_studio_results import task_of
from deixis.exchange.labels import Labels, LeftOut
from deixis.rows import Problem


def write(items: Iterable[Item], out: Path, how: How) -> Written:
    """Write ``tasks.json``, one task after the other, and ``config.xml``.

    Raises:
        InputError: the folder cannot be written.
    """
    labels, left, media = Labels(how.schema), LeftOut(), Media()
    tasks, config = out / "tasks.json", out / "config.xml"
    count = regions = 0
    try:
        with whole_file(tasks) as file:
            for item in items:
                task = task_of(item, how, left)
                file.write(b",\n" if count else b"[\n")
                file.write(json.dumps(task, ensure_ascii=False).encode("utf-8", "replace"))
                labels.add(item)
                media.add(item)
                count += 1
                made = (task.get("predictions") or task["annotations"])[0]["result"]
                regions += sum("id" in each for each in made)
            file.write(b"\n]\n" if count else b"[]\n")
        with whole_file(config) as file:
            file.write(config_of(labels, media))
    except OSError as error:
        raise InputError(f"cannot write into {out}: {error.strerror}") from None
    return Written([tasks, config], {"tasks": count, "results": regions}, left.lines())


def read(path: Path, how: How) -> Iterator[dict[str, Any] | Problem]:
    """Yield a gold row for each task of an export, JSON or JSON-MIN.

    Raises:
        DataError: the file is no list of tasks.
        InputError: it cannot be read.
    """
    try:
        for number, task in enumerate(listed(read_text(path)), start=1):
            yield from rows_of(task, number)
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: {error}; export the project as JSON") from None


EXPORTER = Exporter(
    "label-studio",
    "tasks of Label Studio with what was found as predictions, and the labeling configuration",
    write,
    folder=True,
    options=("pictures", "model", "schema"),
)
IMPORTER = Importer(
    "label-studio", "annotations exported from Label Studio, as JSON", read, ("rows",)
)

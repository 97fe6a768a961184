"""Every cell of the benchmark's table: one row becomes one checked result, which is scored."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis import Extraction
from deixis.batch.run import Batch
from deixis.testing import media
from tests.agents.muie.answers import TEXT

TABLE = {
    "I": {"ner": "PASCAL-C", "re": "VRD", "ee": "imSitu"},
    "V": {"ee": "VidSitu"},
    "A": {"ner": "ACE05-Aud", "re": "ReTACRED"},
    "TI": {"ner": "Twt17", "re": "MNRE", "ee": "M2E2"},
    "TV": {"ee": "VidSitu-Txt"},
    "TA": {"ner": "ACE05-Aud", "re": "ReTACRED"},
    "IA": {"re": "MNRE-Aud"},
    "TIA": {"ner": "Twt17-Aud"},
    "VA": {"ee": "VidSitu-Aud"},
}
"""Table 1 of Zhang et al. (2024): inputs, tasks, data sets."""
CELLS = [(own, task, name) for own, tasks in TABLE.items() for task, name in tasks.items()]


def gold(inputs: str, task: str, dataset: str, files: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose answer is what the scripted model and tools say."""
    row: dict[str, Any] = {"id": "1", "task": task, "dataset": dataset, "aligned": True}
    ann: dict[str, Any] = {"text": "Ann Lee", "type": "PER"}
    acme: dict[str, Any] = {"text": "Acme", "type": "PER"}
    trigger: dict[str, Any] = {"text": "joined"}
    for medium in inputs.replace("T", ""):
        row |= files[medium]
    if "T" in inputs:
        row["text"] = TEXT
        ann |= {"start": 0, "end": 7}
        acme |= {"start": 15, "end": 19}
        trigger |= {"start": 8, "end": 14}
    if "I" in inputs:
        row["image"] = row.pop("images")[0]
        ann["regions"] = [{"box": [9, 6, 45, 30]}]
    if "V" in inputs:
        lefts = [2.0 * index for index in range(20)]
        sides = [[left, 8, left + media.BOX, 8 + media.BOX] for left in lefts]
        ann["track"] = [{"frame": n, "regions": [{"box": side}]} for n, side in enumerate(sides)]
    if "A" in inputs:
        ann["spans"], trigger["spans"], acme["spans"] = [[0.0, 0.9]], [[1.0, 1.4]], [[1.5, 1.9]]
    row["entities"] = [ann] if task == "ee" else [ann, acme]
    if task == "re":
        row["relations"] = [{"subject": 0, "type": "PER-SOC:Business", "object": 1}]
    if task == "ee":
        argument = {"role": "Person", "entity": 0}
        event = {"type": "Personnel:Start-Position", "trigger": trigger, "arguments": [argument]}
        row["events"] = [event]
    return row


@pytest.mark.slow
@pytest.mark.parametrize(("inputs", "task", "dataset"), CELLS)
@pytest.mark.parametrize("style", ["structured", "paper"])
def test_a_row_becomes_one_result_that_is_scored(
    settings: Callable[..., Any],
    files: dict[str, Any],
    deixis: Callable[..., Any],
    tmp_path: Path,
    inputs: str,
    task: str,
    dataset: str,
    style: str,
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(gold(inputs, task, dataset, files)) + "\n")
    tally = Batch(settings(style, track_rate=20.0), source, out).run()
    assert (tally.done, tally.failed) == (1, 0)
    (line,) = map(json.loads, out.read_text().splitlines())
    fields = {name: value for name, value in line.items() if name in Extraction.model_fields}
    found = Extraction.model_validate(fields)
    assert found.warnings == []
    ann = next(entity for entity in found.entities if entity.text == "Ann Lee")
    assert (ann.start is not None, bool(ann.regions), bool(ann.track), bool(ann.spans)) == tuple(
        medium in inputs for medium in "TIVA"
    )
    assert (len(found.relations), len(found.events)) == (task == "re", task == "ee")
    options = ("--task", "muie", "--tables", "--rounds", 5, "--json")
    code, printed, said = deixis("eval", source, out, *options)
    assert code == 0, said
    (row,) = json.loads(printed)["tables"]
    assert (row["inputs"], row["dataset"]) == ("+".join(inputs), dataset)
    values = {name: each["value"] for name, each in row["measures"].items()}
    assert len(values) >= 2 and all(
        value == pytest.approx(1, abs=0.15) for value in values.values()
    )

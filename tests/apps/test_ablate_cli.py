"""``deixis ablate``: variants run once, their table in three forms, and plans that are wrong."""

import csv
import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.testing import fill

pytestmark = [pytest.mark.slow, pytest.mark.extra("starter")]

Run = Callable[..., tuple[int, str, str]]

STACK = """
roles: {recognizer: crf, committee: ["scripted:a", "scripted:b"], voter: "scripted:v",
  expander: "scripted:v", templater: "scripted:v"}
options: {quorum: 1, prices: {scripted: {input: 1.0, output: 2.0}}}
"""
PLAN = """
gold: gold.jsonl
stack: stack.yaml
metrics: [mner, mner.recall]
rounds: 200
variants:
  - name: whole
  - {name: "one & only", about: "a table, row 2", roles: {committee: ["scripted:a"]}}
  - {name: seeds, roles: {expander: "scripted:v?n=$seed"}, seeds: [1, 2]}
  - {name: nobody, roles: {committee: none, expander: none, recognizer: "scripted:r"}}
"""
NAMES = ("Grace Hopper", "Harvard University", "Rear Admiral Hopper")


class World:
    """A folder with a plan, and a count of what models were asked."""

    def __init__(self, folder: Path, deixis: Run) -> None:
        self.folder, self.asked = folder, Counter[str]()
        self.out, self.plan = folder / "out", folder / "plan.yaml"
        self._deixis = deixis
        (folder / "stack.yaml").write_text(STACK)
        self.plan.write_text(PLAN)
        rows = [
            {
                "id": str(number),
                "text": f"{name} in 1986",
                "entities": [{"text": name, "type": "ORG" if "Uni" in name else "PER"}],
            }
            for number, name in enumerate(NAMES)
        ]
        (folder / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def answer(self, name: str, messages: Any, options: dict[str, Any]) -> str:
        self.asked[name] += 1
        if name == "gone":
            raise ValueError("nobody is there")
        return json.dumps(fill(options["json_schema"], "blue"))

    def run(self, *more: object) -> tuple[int, str, str]:
        return self._deixis("ablate", self.plan, "--out", self.out, *more)


@pytest.fixture
def world(tmp_path: Path, deixis: Run, scripted: Any) -> World:
    here = World(tmp_path, deixis)
    scripted(here.answer)
    return here


def test_all_variants_are_run_once_and_written_in_three_forms(world: World) -> None:
    code, printed, said = world.run("--json")
    assert code == 0, said
    found = json.loads(printed)
    lines = {line["name"]: line for line in found["variants"]}
    assert [*lines] == ["whole", "one & only", "seeds", "nobody"]
    whole, single, seeds, nobody = lines.values()
    assert (whole["rows"], whole["left"], whole["failed"], whole["done"]) == (3, 0, 0, True)
    assert whole["metrics"]["mner"]["p"] is None and whole["metrics"]["mner"]["value"] > 0.5
    assert whole["calls"] > 0 and whole["cost"] > 0
    assert single["calls"] == 0 < single["cached"], "its questions are those of the first"
    assert single["metrics"]["mner"]["p"] == 1.0 and single["metrics"]["mner"]["difference"] == 0
    assert single["differs"]["roles.committee"] == '["scripted:a"]'
    assert seeds["rows"] == 6 and seeds["files"] == ["seeds.seed1.jsonl", "seeds.seed2.jsonl"]
    assert seeds["metrics"]["mner"]["deviation"] == 0.0 and seeds["calls"] == 6
    assert nobody["metrics"]["mner"]["difference"] < 0
    asked = dict(world.asked)
    with (world.out / "table.csv").open() as file:
        table = {row["variant"]: row for row in csv.DictReader(file)}
    assert float(table["nobody"]["mner"]) == nobody["metrics"]["mner"]["value"]
    assert float(table["seeds"]["mner deviation"]) == 0.0 and table["whole"]["mner p"] == ""
    assert (table["one & only"]["about"], table["whole"]["rows"]) == ("a table, row 2", "3")
    markdown = (world.out / "table.md").read_text()
    assert "| one \\& only | a table, row 2 | 3 |" in markdown and "p against the" in markdown
    latex = (world.out / "table.tex").read_text()
    assert "one \\& only & 3 & " in latex and latex.count(r"\\") == 5

    files = {path.name: path.read_bytes() for path in world.out.glob("*.jsonl")}
    code, again, said = world.run("--json")
    assert code == 0 and json.loads(again) == found, said
    assert dict(world.asked) == asked, "nothing is paid twice"
    assert {path.name: path.read_bytes() for path in world.out.glob("*.jsonl")} == files


def test_a_model_that_does_not_answer_is_told_below_the_table(world: World) -> None:
    text = PLAN.replace('about: "a table, row 2", roles: {', 'roles: {expander: "scripted:gone", ')
    world.plan.write_text(text)
    code, printed, said = world.run()
    assert code == 0, said
    told = "one & only: 3 of 3 calls of language models brought nothing usable"
    assert told in printed and "the warnings in one-only.jsonl say why" in printed
    with (world.out / "table.csv").open() as file:
        failed = [row["failed calls"] for row in csv.DictReader(file)]
    assert failed[:2] == ["0", "3"]
    assert told.replace("&", r"\&") in (world.out / "table.md").read_text()


def test_a_budget_holds_for_all_variants_and_the_same_line_goes_on(world: World) -> None:
    code, printed, said = world.run("--budget", "calls=13", "--json", "--concurrency", 1)
    assert code == 1 and "the budget is used up in" in said
    assert sum(world.asked.values()) == 13
    lines = json.loads(printed)["variants"]
    assert [line["done"] for line in lines] == [True, True, False, False]
    assert lines[0]["metrics"] and not lines[2]["metrics"]
    shown = (world.out / "table.md").read_text()
    assert "| seeds |  | unfinished: " in shown and "| nobody |  | not run | - | - |" in shown
    code, printed, said = world.run("--json")
    assert code == 0 and all(line["done"] for line in json.loads(printed)["variants"]), said


def test_ctrl_c_finishes_the_row_in_flight_and_the_same_line_goes_on(
    world: World, scripted: Any
) -> None:
    def interrupted(name: str, messages: Any, options: dict[str, Any]) -> str:
        if not world.asked:
            signal.raise_signal(signal.SIGINT)
        return world.answer(name, messages, options)

    scripted(interrupted)
    code, _, said = world.run("--concurrency", 1)
    assert code == 130 and "stopped in whole: run the same line to go on" in said
    asked = dict(world.asked)
    code, printed, said = world.run("--json")
    assert code == 0 and json.loads(printed)["variants"][-1]["done"], said
    assert world.asked["a"] == len(NAMES) and asked["a"] < len(NAMES)


def test_what_would_run_is_said_and_nothing_is_asked(world: World) -> None:
    code, printed, said = world.run("--dry-run")
    assert (code, said) == (0, "") and not world.asked and not world.out.exists()
    assert 'roles.committee: ["scripted:a"]' in " ".join(printed.split())
    code, printed, _ = world.run("--dry-run", "--json", "--limit", 2)
    runs = json.loads(printed)["runs"]
    assert [run["file"] for run in runs] == [
        *("whole.jsonl", "one-only.jsonl", "seeds.seed1.jsonl", "seeds.seed2.jsonl"),
        "nobody.jsonl",
    ]
    assert {run["rows"] for run in runs} == {2} and runs[0]["differs"] == {}


def test_a_part_of_the_rows_is_scored_against_that_part(world: World) -> None:
    code, printed, said = world.run("--json", "--limit", 2)
    assert code == 0, said
    assert {line["name"]: line["rows"] for line in json.loads(printed)["variants"]} == {
        "whole": 2,
        "one & only": 2,
        "seeds": 4,
        "nobody": 2,
    }


def test_results_of_other_settings_are_told_before_anything_is_asked(world: World) -> None:
    assert world.run()[0] == 0
    asked = dict(world.asked)
    world.plan.write_text(PLAN.replace("committee: none,", "committee: none, reader: rapidocr,"))
    code, _, said = world.run()
    assert code == 2 and "nobody.jsonl: was made with other settings" in said
    assert "different: roles.reader" in said and dict(world.asked) == asked


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("roles: {committee: [", "role: {committee: [", "'roles'?"),
        ("committee: none,", "comittee: none,", "'nobody': there is no role 'comittee' (did you"),
        ("committee: none,", "voter: gpt-5,", "variant 'nobody': "),
        ("metrics: [mner,", "metrics: [mnre,", "metrics: there is no task 'mnre' (did you mean"),
        ("mner.recall", "mner.recal", "mner has no measure 'recal'"),
        ("mner.recall", "mner@0.7", "no place counts in mner"),
        ("mner.recall", "gmner", "does not say whether it can be seen"),
        ("mner.recall", "entailment", "does not say whether it can be seen"),
        ("seeds: [1, 2]", "limit: 2", "it says $seed and has no seeds"),
        ("n=$seed", "n=1", "nothing in it says $seed"),
        ("name: seeds", "name: One only", "both be written to one-only.jsonl"),
        ("name: seeds", "name: =1", "variants.2.name"),
        ("gold: gold.jsonl", "convention: vkle", "there is no gold"),
        ("rounds: 200", "convention: vkle", "no convention 'vkle'"),
        ("rounds: 200", "graph: vkell", "variant 'whole': there is no graph 'vkell' (did you mean"),
        ("rounds: 200", "graph_options: {ask: all}", "there is no 'ask'"),
        ("rounds: 200", "options: {top: 5}", "there is no 'top' (did you mean 'top_k'?)"),
        ("rounds: 200", "options: {top_k: many}", "options: top_k: "),
        ("rounds: 200", "schema: gmnr", "variant 'whole'"),
        ("stack: stack.yaml", "stack: none.yaml", "cannot read"),
        ("variants:", "variants: []\nvariant:", "did you mean 'variants'"),
    ],
)
def test_a_plan_that_is_wrong_costs_nothing(
    world: World, wrong: str, right: str, told: str
) -> None:
    assert wrong in PLAN
    world.plan.write_text(PLAN.replace(wrong, right))
    code, printed, said = world.run()
    assert (code, printed, said.count("\n")) == (2, "", 1) and told in said, said
    assert not world.asked and not world.out.exists()


def test_parts_of_a_system_are_scored_on_gold_mentions(world: World) -> None:
    gold = [json.loads(line) for line in (world.folder / "gold.jsonl").read_text().splitlines()]
    for row in gold:
        (entity,) = row["entities"]
        row["entities"] = [{**entity, "start": 0, "end": len(entity["text"]), "regions": []}]
    (world.folder / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in gold))
    plan = PLAN.replace("metrics: [mner, mner.recall]", "metrics: [mner, entailment.undecided]")
    world.plan.write_text(plan.replace("rounds: 200", "rounds: 200\ngold_mentions: true"))
    code, printed, said = world.run("--json")
    assert code == 0, said
    for line in json.loads(printed)["variants"]:
        assert line["metrics"]["mner"]["value"] == 1.0, "nothing is recognized"
        assert line["metrics"]["entailment.undecided"]["value"] == 1.0, "there are no pictures"
    assert world.asked["r"] == 0

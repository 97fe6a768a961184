"""Batch runs in this process: what is written, what is left out, and what is paid once."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis import Extraction, Settings
from deixis.batch.run import Batch
from deixis.batch.settings import fingerprint, identity
from deixis.batch.tally import Tally
from deixis.errors import DeixisError, InputError, SettingsError
from deixis.prompts import FOLDER
from deixis.rows import read_rows
from deixis.settings import Budget, Price
from deixis.testing import fill

pytestmark = pytest.mark.slow

TEXT = "Grace Hopper of the US Navy taught at Harvard University in the year {}"
TYPES = "types: [{name: SHIP, description: a vessel, crf: OTHER}, {name: PERSON, crf: PER}]\n"


class World:
    """A folder with an input, settings, and a count of what models were asked."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.asked: Counter[str] = Counter()
        self.before_answer: Callable[[str], Any] = lambda model: None
        self.replies: dict[str, str] = {}
        self.source, self.out = folder / "in.jsonl", folder / "results" / "out.jsonl"
        self.write({"id": f"r{n}", "text": TEXT.format(n)} for n in range(6))

    def write(self, rows: Any) -> None:
        self.source.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def set(self, **options: Any) -> None:
        changed = self.settings.options.model_copy(update=options)
        self.settings = self.settings.model_copy(update={"options": changed})

    def batch(self, **options: Any) -> Batch:
        return Batch(self.settings, self.source, self.out, **options)

    def run(self, **options: Any) -> Tally:
        return self.batch(**options).run()

    def lines(self, name: str = "out.jsonl") -> list[dict[str, Any]]:
        path = self.out.parent / name
        return [json.loads(line) for line in path.read_text().splitlines()]

    def ids(self) -> list[str]:
        return sorted(each["id"] for each in self.lines())


@pytest.fixture
def world(tmp_path: Path, scripted: Any) -> World:
    def answer(name: str, messages: Any, options: dict[str, Any]) -> str:
        here.asked[f"{name} {messages[-1].content}"] += 1
        here.before_answer(name)
        return here.replies.get(name) or json.dumps(fill(options["json_schema"], "blue"))

    scripted(answer)
    roles = dict.fromkeys(("voter", "expander", "templater"), "scripted:d")
    tools = dict.fromkeys(("detector", "reader", "segmenter"))
    settings = Settings.load().with_roles(
        {"committee": ["scripted:a", "scripted:b", "scripted:c"], **roles, **tools}
    )
    here = World(tmp_path, settings)
    here.set(prices={"scripted": Price(input=1.0, output=2.0)})
    return here


@pytest.mark.extra
def test_one_line_a_row_and_nothing_is_asked_again(world: World) -> None:
    tally = world.run(concurrency=3)
    assert (tally.rows, tally.done, tally.failed, tally.left, tally.stopped) == (6, 6, 0, 0, "")
    assert tally.calls == sum(world.asked.values()) and set(world.asked.values()) == {1}
    assert tally.input_tokens == 7 * tally.calls and tally.cost == pytest.approx(
        tally.calls * (7 * 1 + 3 * 2) / 1e6
    )
    for line in world.lines():
        assert list(line)[:2] == ["id", "settings"] and line.pop("id")
        assert line.pop("settings") == fingerprint(identity(world.settings))
        assert len(Extraction.model_validate(line).entities) == 3
    assert [row.id for row in read_rows(world.out)] != [] and world.lines(
        "out.failures.jsonl"
    ) == []
    before = world.out.read_bytes()
    again = world.run()
    assert (again.earlier, again.done, again.left, again.calls) == (6, 0, 0, 0)
    assert world.out.read_bytes() == before and set(world.asked.values()) == {1}


@pytest.mark.extra
def test_a_bad_row_never_stops_the_run(world: World) -> None:
    (world.folder / "torn.jpg").write_bytes(b"\xff\xd8\xff torn")
    Image.new("RGB", (64, 48), "red").save(world.folder / "red.png")
    rows = [{"id": f"r{n}", "text": TEXT.format(n)} for n in range(3)]
    bad = [{"id": "torn", "text": "x", "image": "torn.jpg"}, {"id": "gone", "text": ""}]
    world.write([rows[0], *bad, rows[1], {**rows[2], "image": "red.png"}, rows[0]])
    told: list[Any] = []
    tally = world.run(report=told.append)
    assert [(each.line, each.id) for each in told] == [(3, "gone"), (6, "r0")]
    assert (tally.rows, tally.done, tally.failed, tally.left) == (6, 3, 3, 0)
    assert world.ids() == ["r0", "r1", "r2"]
    failures = {(each["line"], each["id"]): each for each in world.lines("out.failures.jsonl")}
    assert set(failures) == {(2, "torn"), (3, "gone"), (6, "r0")}
    assert "not a picture" in failures[2, "torn"]["error"]
    source = next(each["image"]["source"] for each in world.lines() if each["id"] == "r2")
    assert Path(source) == Path("..", "red.png"), "relative to the output"
    (world.folder / "torn.jpg").unlink()
    Image.new("RGB", (64, 48), "blue").save(world.folder / "torn.jpg")
    again = world.run()
    assert (again.earlier, again.done, again.failed) == (3, 1, 2), "what failed is tried again"


@pytest.mark.extra
def test_a_bug_in_one_row_stays_there(world: World, scripted: Any) -> None:
    def answer(name: str, messages: Any, options: dict[str, Any]) -> Any:
        broken = TEXT.format(3) in messages[-1].content
        return TypeError("a\nbug") if broken else json.dumps(fill(options["json_schema"]))

    scripted(answer)
    tally = world.run()
    assert (tally.done, tally.failed) == (5, 1)
    (failure,) = world.lines("out.failures.jsonl")
    assert failure["id"] == "r3" and failure["error"] == "a bug, TypeError: a bug"


@pytest.mark.extra
def test_what_fails_for_all_rows_stops_the_run(world: World) -> None:
    folder = world.folder / "prompts"
    folder.mkdir()
    world.set(prompts=folder)
    batch = world.batch(concurrency=1)

    def spoil(tally: Tally) -> None:
        (folder / "consult.md").write_text("no prompt")

    with pytest.raises(SettingsError, match=r"consult\.md"):
        batch.run(spoil)
    assert len(world.lines()) < 6 and world.lines("out.failures.jsonl") == []
    (folder / "consult.md").unlink()
    assert world.run().left == 0
    assert world.ids() == [f"r{n}" for n in range(6)]


@pytest.mark.extra
def test_rows_that_the_budget_cut_short_are_run_whole_later(world: World) -> None:
    world.set(budget=Budget(calls=8))
    tally = world.run(concurrency=1)
    assert tally.stopped == "budget" and sum(world.asked.values()) == 8
    assert tally.left > 0 and tally.failed == 0 and tally.done == len(world.lines()) < 6
    assert not any(each["warnings"] for each in world.lines())
    world.set(budget=Budget())
    again = world.run()
    assert (again.left, again.earlier) == (0, tally.done)
    assert world.ids() == [f"r{n}" for n in range(6)]
    assert set(world.asked.values()) == {1}, "what was paid for before is not paid for again"


def test_what_a_model_writes_is_taken_for_no_spent_budget(world: World) -> None:
    name = "gave no answer (budget)"
    mention = {"text": name, "type": "PER", "confidence": 0.5}
    world.replies["r"] = json.dumps({"entities": [mention]})
    world.settings = world.settings.with_roles({"recognizer": "scripted:r"})
    tally = world.run()
    assert (tally.stopped, tally.done) == ("", 6)
    assert all(name in line["warnings"][0]["message"] for line in world.lines())


@pytest.mark.extra
def test_a_stop_finishes_what_is_in_flight(world: World) -> None:
    batch = world.batch(concurrency=2)
    both = threading.Barrier(2, action=batch.stop)  # the stop comes when two rows have asked "a"
    world.before_answer = lambda model: both.wait(60) if model == "a" else None
    tally = batch.run()
    assert (tally.stopped, tally.done, tally.failed, tally.left) == ("interrupted", 2, 0, 4)
    assert world.ids() == ["r0", "r1"] and not any(each["warnings"] for each in world.lines())
    about = {n for n in range(6) for each in world.asked if TEXT.format(n) in each}
    assert about == {0, 1}, "of no other row was anything asked"
    left = [each.name for each in threading.enumerate() if each.name.startswith("row")]
    assert left == [], "no thread of the batch is left"
    world.before_answer = lambda model: None
    again = world.run()
    assert (again.earlier, again.done, again.left) == (2, 4, 0)
    assert world.ids() == [f"r{n}" for n in range(6)] and set(world.asked.values()) == {1}


@pytest.mark.extra("starter")
def test_an_error_of_the_caller_begins_nothing_more_and_lets_go(world: World) -> None:
    def fail(tally: Tally) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world.batch(concurrency=1).run(fail)
    assert len(world.lines()) == 1
    assert sum(world.asked.values()) <= 2 * 5, "the second may have been begun"
    assert world.run().left == 0 and set(world.asked.values()) == {1}


@pytest.mark.extra
def test_limit_and_order(world: World) -> None:
    assert world.run(limit=2).rows == 2
    assert world.ids() == ["r0", "r1"]
    shuffled = world.run(limit=4, shuffle_seed=5, concurrency=1)
    assert shuffled.rows == 4 and shuffled.left == 0
    world.out.unlink()
    world.run(limit=4, shuffle_seed=5)
    first = world.ids()
    world.out.unlink()
    world.run(limit=4, shuffle_seed=5)
    assert world.ids() == first != ["r0", "r1", "r2", "r3"]


@pytest.mark.parametrize("content", ["", "\n\n", "notes\n", "[]\n{}\n"])
def test_an_input_without_a_usable_row(world: World, content: str) -> None:
    world.source.write_text(content)
    with pytest.raises(InputError, match="no row that can be run"):
        world.batch()
    assert not world.out.exists()


def test_the_input_is_no_output(world: World) -> None:
    before = world.source.read_bytes()
    with pytest.raises(InputError, match="is the input"):
        Batch(world.settings, world.source, world.source)
    assert world.source.read_bytes() == before


@pytest.mark.extra
def test_a_picture_is_found_from_an_output_in_a_folder_that_is_a_link(world: World) -> None:
    Image.new("RGB", (64, 48), "red").save(world.folder / "red.png")
    world.write([{"id": "seen", "text": TEXT.format(1), "image": "red.png"}])
    (world.folder / "far" / "away").mkdir(parents=True)
    world.out.parent.symlink_to(world.folder / "far" / "away")
    world.run()
    source = world.lines()[0]["image"]["source"]
    assert (world.out.parent / source).samefile(world.folder / "red.png")


def test_what_determines_a_result_and_what_does_not(world: World, user_folder: Path) -> None:
    def now() -> str:
        return fingerprint(identity(world.settings))

    first = now()
    world.set(budget=Budget(calls=1), prices={}, cache="refresh", cache_folder=world.folder)
    assert now() == first
    prompts = world.folder / "prompts"
    prompts.mkdir()
    world.set(prompts=prompts)
    assert now() == first, "an empty folder changes nothing, wherever it is"
    text = (FOLDER / "consult.md").read_text()
    (prompts / "consult.md").write_text(text)
    assert now() == first
    (prompts / "consult.md").write_text(text + "Think.\n")
    second = now()
    world.set(quorum=1)
    third = now()
    template = user_folder / "templates" / "person.yaml"
    template.parent.mkdir(parents=True)
    template.write_text("type: person\nabout: a human\nattributes: [{name: hat, ask: which hat}]\n")
    own = now()
    before = world.settings
    world.settings = world.settings.with_roles({"voter": "scripted:e"})
    fourth = now()
    world.settings = before.model_copy(update={"types": "fmnerg"})
    assert len({first, second, third, own, fourth, now()}) == 6


@pytest.mark.extra
def test_other_settings_need_another_output(world: World) -> None:
    world.run()
    world.settings = world.settings.with_roles({"voter": "scripted:e"})
    with pytest.raises(SettingsError, match=r"different: roles\.voter"):
        world.batch()
    asked = sum(world.asked.values())
    world.out = world.folder / "other.jsonl"
    assert world.run().done == 6
    assert sum(world.asked.values()) - asked < 12, "only the voter is asked anew"


@pytest.mark.extra
def test_templates_count_against_the_budget(world: World) -> None:
    (world.folder / "types.yaml").write_text(TYPES)
    world.settings = world.settings.model_copy(update={"types": str(world.folder / "types.yaml")})
    world.set(budget=Budget(calls=4))
    tally = world.run(concurrency=1)
    assert any(asked.startswith("d ") and "SHIP" in asked for asked in world.asked)
    assert tally.stopped == "budget" and tally.calls == sum(world.asked.values()) == 4


@pytest.mark.extra
def test_templates_of_new_types_are_written_first(world: World, user_folder: Path) -> None:
    (world.folder / "types.yaml").write_text(TYPES)
    world.settings = world.settings.model_copy(update={"types": str(world.folder / "types.yaml")})
    assert world.run(limit=2).calls == sum(world.asked.values())
    assert (user_folder / "templates" / "ship.yaml").exists()
    assert (world.run().earlier, world.run().earlier) == (2, 6)
    (user_folder / "templates" / "ship.yaml").unlink()
    world.set(budget=Budget(calls=0), cache="off")
    with pytest.raises(DeixisError, match="budget is used up before the type 'SHIP' has a know"):
        world.batch()

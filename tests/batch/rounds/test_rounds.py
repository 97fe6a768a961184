"""Runs by batches of the three providers: rounds, what they cost, and how they go on."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings
from deixis.batch.ray_workers import Cluster
from deixis.batch.rounds import ProviderBatch
from deixis.batch.run import Batch
from deixis.errors import InputError, SettingsError
from deixis.llms import registry
from deixis.llms.provider_batch.openai import OpenAIBatches

from .batch_servers import NAME
from .conftest import World

pytestmark = pytest.mark.slow


def test_there_are_as_many_rounds_as_questions_depend_on_one_another(world: World) -> None:
    tally = world.run()
    assert (tally.done, tally.failed, tally.left, tally.stopped) == (3, 0, 0, "")
    # The recognizer; both members, each with a job of its own; the expander.
    assert world.batches.log == "+-++--+-"
    assert [len(job.lines) for job in world.batches.jobs] == [3, 3, 3, 3]
    assert not world.batches.online
    assert not (world.folder / "out.batches").exists()


def test_results_and_what_they_took_are_those_of_asking_at_once(world: World) -> None:
    tally = world.run()
    rows = world.results()
    asked = world.online()
    assert len(world.batches.online) == tally.calls == len(world.batches.asked) == 12
    assert rows == asked


def test_what_a_batch_answers_costs_a_part_of_the_price(openai: World) -> None:
    openai.options["prices"] = {"openai": {"input": 2.0, "output": 8.0, "batch": 0.25}}
    (first, *_) = openai.online()
    openai.run()
    costs = [used["cost"] for used in openai.results()[0]["usage"]]
    assert costs == pytest.approx([used["cost"] / 4 for used in first["usage"]])
    assert openai.results()[0]["entities"] == first["entities"]


def test_answers_are_kept_as_those_of_asking_at_once(openai: World) -> None:
    openai.run()
    given = {"name": "t", "roles": openai.roles, "options": openai.options}
    tally = Batch(Settings.model_validate(given), openai.source, openai.folder / "b.jsonl").run()
    assert (tally.calls, tally.cached, len(openai.batches.online)) == (0, 12, 0)


def test_a_run_that_waits_no_longer_is_continued(world: World) -> None:
    world.batches.looks = 2
    tally = world.run(wait=0.0)
    assert (tally.stopped, tally.left, tally.posted) == ("waiting", 3, 3)
    assert world.out.read_text() == ""
    for _ in range(20):
        tally = world.run(wait=0.0)
        if not tally.stopped:
            break
    assert (tally.done, tally.left) == (3, 0)
    assert world.batches.log == "+-++--+-"
    assert world.results() == world.online()


def test_a_whole_day_in_progress_is_awaited(openai: World) -> None:
    openai.batches.looks = 300
    began = openai.clock.now()
    assert openai.run().done == 3
    assert openai.clock.now() - began > 24 * 3600
    assert max(openai.clock.waits) == 300
    assert openai.clock.waits[:6] == [15, 30, 60, 120, 240, 300]


def test_a_stop_while_it_waits_ends_it_and_loses_nothing(openai: World) -> None:
    openai.batches.looks = 5
    batch = openai.batch()
    openai.clock.on_wait = batch.stop
    tally = batch.run()
    assert (tally.stopped, tally.left, len(openai.clock.waits)) == ("interrupted", 3, 1)
    openai.clock.on_wait = lambda: None
    assert openai.run().done == 3
    assert len(openai.batches.jobs) == 4


def test_the_last_rows_are_asked_at_once_if_that_is_wanted(world: World) -> None:
    tally = world.run(stragglers=3)
    assert (tally.done, tally.calls) == (3, 12)
    assert len(world.batches.asked) == 0
    assert len(world.batches.online) == 12


def test_models_that_take_no_batches_are_asked_at_once_meanwhile(openai: World) -> None:
    openai.roles["recognizer"] = openai.roles["recognizer"].replace("batch=true", "batch=false")
    tally = openai.run()
    assert (tally.done, tally.calls) == (3, 12)
    assert openai.batches.log == "++--+-"
    # It is asked once, whatever round its row is in.
    assert len(openai.batches.online) == 3


def test_what_several_rows_ask_is_asked_once(openai: World) -> None:
    rows = [{"id": str(n), "text": f"{NAME} of the US Navy"} for n in range(5)]
    openai.source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tally = openai.run()
    assert (tally.done, len(openai.batches.asked)) == (5, 4)


def test_a_model_that_is_asked_twice_gives_two_answers(world: World) -> None:
    """Claude has no seed: the same request, for another sample."""
    world.roles = {"recognizer": world.batches.spec, "committee": (world.batches.spec,) * 2}
    world.run()
    assert [len(job.lines) for job in world.batches.jobs] == [3, 6]


def test_pictures_are_in_the_files(world: World, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 48), "navy").save(tmp_path / "a.png")
    row = {"id": "1", "text": f"{NAME} of the US Navy", "image": "a.png"}
    world.source.write_text(json.dumps(row) + "\n")
    world.roles |= {"entailer": world.batches.spec}
    assert world.run().done == 1
    pictures = [
        body
        for body in world.batches.asked
        if "base64" in (text := json.dumps(body)) or "inlineData" in text
    ]
    assert pictures
    assert world.results() == world.online()


def test_questions_about_several_pictures_share_a_round(openai: World, tmp_path: Path) -> None:
    from PIL import Image

    for name, colour in (("a.png", "navy"), ("b.png", "green"), ("c.png", "red")):
        Image.new("RGB", (64, 48), colour).save(tmp_path / name)
    row = {"id": "1", "text": f"{NAME} of the US Navy", "images": ["a.png", "b.png", "c.png"]}
    openai.source.write_text(json.dumps(row) + "\n")
    openai.roles |= {"entailer": openai.batches.spec}
    assert openai.run().done == 1
    asked = [
        sum("base64" in json.dumps(body) for _, body in job.lines) for job in openai.batches.jobs
    ]
    assert max(asked) == 3
    assert openai.results() == openai.online()


def test_a_file_holds_no_more_than_the_provider_takes(
    openai: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIBatches, "most", (2, 190_000_000))
    assert openai.run().done == 3
    assert [len(job.lines) for job in openai.batches.jobs] == [2, 1, 2, 1, 2, 1, 2, 1]


def test_a_file_has_no_more_bytes_than_the_provider_takes(
    openai: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    openai.roles = {"recognizer": openai.batches.spec}
    openai.run()
    longest = max(len(file) for file in openai.batches.files.values())
    openai.batches.jobs.clear()
    openai.out.unlink()
    openai.options["cache"] = "off"
    monkeypatch.setattr(OpenAIBatches, "most", (50_000, longest - 1))
    assert openai.run().done == 3
    assert [len(job.lines) for job in openai.batches.jobs] == [2, 1]
    assert all(len(file) < longest for file in list(openai.batches.files.values())[1:])


def test_a_request_that_no_file_can_hold_has_failed(
    openai: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    openai.roles = {"recognizer": openai.batches.spec}
    monkeypatch.setattr(OpenAIBatches, "most", (50_000, 100))
    assert openai.run().done == 3
    assert not openai.batches.jobs
    assert "a batch at most 100" in openai.results()[0]["warnings"][0]["message"]


def test_rows_begin_when_those_before_them_are_finished_if_they_ask_much(
    openai: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deixis.llms.provider_batch.post.MOST_BYTES", 1)
    openai.write(30)
    assert openai.run().done == 30
    first = openai.batches.jobs[0]
    assert 1 <= len(first.lines) < 30


def test_a_budget_counts_each_request_once(openai: World) -> None:
    openai.options["budget"] = {"calls": 12}
    assert openai.run().done == 3


def test_a_budget_that_is_used_up_leaves_rows(openai: World) -> None:
    openai.options["budget"] = {"calls": 7}
    tally = openai.run()
    assert (tally.stopped, tally.left) == ("budget", 3)
    assert len(openai.batches.asked) == 7
    openai.options["budget"] = {"calls": 5}
    tally = openai.run()
    assert (tally.stopped, tally.done) == ("", 3)
    assert len(openai.batches.asked) == 12


def test_other_settings_want_another_place(openai: World) -> None:
    openai.batches.looks = 5
    openai.run(wait=0.0)
    openai.options["gate"] = 0.1
    with pytest.raises(SettingsError, match=r"out.batches: its batches were asked with other"):
        openai.run()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"posts_per_call": 2}, "posts_per_call"), ({"cache": "replay"}, "only replayed")],
)
def test_what_cannot_be_asked_by_batches_is_told(
    openai: World, options: dict[str, Any], message: str
) -> None:
    openai.options |= options
    with pytest.raises(SettingsError, match=message):
        openai.batch()


def test_a_stack_without_a_model_that_takes_batches_is_an_error(openai: World) -> None:
    openai.roles = {"recognizer": openai.batches.spec.replace("batch=true", "batch=false")}
    with pytest.raises(SettingsError, match="no model of the stack takes batches"):
        openai.batch()


def test_batches_do_not_go_from_a_cluster(openai: World) -> None:
    with pytest.raises(SettingsError, match="no cluster"):
        Batch(
            openai.settings,
            openai.source,
            openai.out,
            cluster=Cluster(1, 0.0),
            provider_batch=ProviderBatch(),
        )


@pytest.mark.parametrize(
    ("spec", "takes"),
    [
        ("openai:gpt-5-mini", True),
        ("openai:gpt-5-mini?batch=false", False),
        ("openai:any?base_url=http://127.0.0.1:1/v1", False),
        ("openai:any?base_url=http://127.0.0.1:1/v1&batch=true", True),
        ("anthropic:claude-haiku-4-5", True),
        ("google_genai:gemini-2.5-flash", True),
        ("ollama:qwen3", False),
        ("embedded:smollm2-135m", False),
    ],
)
def test_which_models_take_batches(spec: str, takes: bool) -> None:
    assert registry.batches(spec) is takes


def test_an_option_batch_that_has_no_effect_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with pytest.raises(SettingsError, match="option batch has no effect"):
        registry.check("ollama:qwen3?batch=true")
    with pytest.raises(SettingsError, match="option batch is true or false"):
        registry.check("openai:gpt-5-mini?batch=yes")


def test_a_place_that_is_no_folder_is_told(openai: World) -> None:
    (openai.folder / "out.batches").write_text("mine")
    with pytest.raises(InputError, match=r"cannot use .*out\.batches"):
        openai.run()
    assert (openai.folder / "out.batches").read_text() == "mine"


def test_no_key_is_in_the_folder(openai: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-written")
    server = openai.batches.server
    assert server is not None
    openai.roles["recognizer"] = openai.roles["recognizer"].replace("http://", "http://me:hidden@")
    openai.batches.looks = 1
    assert openai.run(wait=0.0).posted == 3
    held = b"".join(path.read_bytes() for path in (openai.folder / "out.batches").iterdir())
    assert b"sk-never-written" not in held and b"hidden" not in held
    assert openai.run().done == 3
    assert {request.headers["authorization"][:6] for request in server.requests} >= {"Basic "}

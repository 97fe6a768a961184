"""Runs by batches of the three providers: rounds, faults, kills, and what is counted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings
from deixis.batch.rounds import ProviderBatch
from deixis.batch.run import Batch
from deixis.batch.tally import Tally

from .batch_servers import NAME, PROTOCOLS, Batches, FakeClock, batch_server

pytestmark = pytest.mark.slow


class World:
    """A folder, a server, and settings of which every model is on that server."""

    def __init__(self, folder: Path, batches: Batches, **options: Any) -> None:
        self.folder, self.batches, self.clock = folder, batches, FakeClock()
        self.source, self.out = folder / "in.jsonl", folder / "out.jsonl"
        self.options = {"cache_folder": folder / "cache", **options}
        self.roles = {
            "recognizer": batches.spec,
            "committee": (batches.spec, f"{batches.spec}&temperature=0.5"),
            "voter": batches.spec,
            "expander": batches.spec,
        }
        self.write(3)

    def write(self, rows: int) -> None:
        texts = [f"{NAME} of the US Navy, {n}" for n in range(rows)]
        lines = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)]
        self.source.write_text("\n".join(lines) + "\n")

    @property
    def settings(self) -> Settings:
        given = {"name": "t", "roles": self.roles, "options": self.options}
        return Settings.model_validate(given)

    def batch(self, settings: Settings | None = None, **how: Any) -> Batch:
        how = {"clock": self.clock, **how}
        return Batch(
            settings or self.settings, self.source, self.out, provider_batch=ProviderBatch(**how)
        )

    def run(self, **how: Any) -> Tally:
        return self.batch(**how).run()

    def results(self) -> list[dict[str, Any]]:
        lines = self.out.read_text().splitlines()
        return sorted(map(json.loads, lines), key=lambda row: str(row["id"]))


@pytest.fixture(params=PROTOCOLS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    pytest.importorskip(
        {"openai": "langchain_openai", "anthropic": "langchain_anthropic"}.get(
            request.param, "langchain_google_genai"
        )
    )
    with batch_server(request.param) as batches:
        yield World(tmp_path, batches)


def bare(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return results without what time and price make of them."""
    for row in rows:
        for used in row["usage"]:
            used.update(seconds=0)
    return rows


def online(world: World) -> list[dict[str, Any]]:
    """Return what the same rows come to when all is asked at once, without a cache."""
    out = world.folder / "online.jsonl"
    options = {**world.options, "cache": "off"}
    given = {"name": "t", "roles": world.roles, "options": options}
    Batch(Settings.model_validate(given), world.source, out).run()
    return sorted(map(json.loads, out.read_text().splitlines()), key=lambda row: str(row["id"]))


def test_there_are_as_many_rounds_as_questions_depend_on_one_another(world: World) -> None:
    tally = world.run()
    assert (tally.done, tally.failed, tally.left, tally.stopped) == (3, 0, 0, "")
    # The recognizer; both members, each with a job of its own; the expander.
    assert world.batches.log == "+-++--+-"
    assert [len(job.lines) for job in world.batches.jobs] == [3, 3, 3, 3]
    assert not world.batches.online
    assert not (world.folder / "out.batches").exists()


def test_results_and_what_they_cost_are_those_of_asking_at_once(world: World) -> None:
    tally = world.run()
    rows = bare(world.results())
    asked = online(world)
    assert len(world.batches.online) == tally.calls == len(world.batches.asked)
    assert rows == bare(asked)

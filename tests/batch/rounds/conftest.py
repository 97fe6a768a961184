"""Worlds of rows and a server with batches."""

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

PACKAGES = {
    "openai": "langchain_openai",
    "anthropic": "langchain_anthropic",
    "google_genai": "langchain_google_genai",
}


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

    def online(self) -> list[dict[str, Any]]:
        """Return what the rows come to when all is asked at once, without a cache."""
        out = self.folder / "online.jsonl"
        options = {**self.options, "cache": "off"}
        given = {"name": "t", "roles": self.roles, "options": options}
        Batch(Settings.model_validate(given), self.source, out).run()
        return _in_order(out)

    def results(self) -> list[dict[str, Any]]:
        return _in_order(self.out)


def _in_order(out: Path) -> list[dict[str, Any]]:
    """Return results without what time makes of them."""
    rows = sorted(map(json.loads, out.read_text().splitlines()), key=lambda row: str(row["id"]))
    for row in rows:
        for used in row["usage"]:
            used["seconds"] = 0
    return rows


@pytest.fixture(params=PROTOCOLS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """One of each protocol."""
    pytest.importorskip(PACKAGES[request.param])
    with batch_server(request.param) as batches:
        yield World(tmp_path, batches)


@pytest.fixture
def openai(tmp_path: Path) -> Iterator[World]:
    """One of OpenAI's protocol."""
    pytest.importorskip("langchain_openai")
    with batch_server("openai") as batches:
        yield World(tmp_path, batches)

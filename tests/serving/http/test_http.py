"""The service over HTTP, spoken to as a client does."""

import base64
import json
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from deixis.schema import Extraction
from deixis.serving.jobs import Limits
from deixis.settings import Budget
from deixis.testing import Question, scripted
from tests.serving.conftest import Running, Served

TEXT = "Grace Hopper of the US Navy"
POST = {"text": TEXT}


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    with scripted(lambda _: None):
        yield


@pytest.fixture
def server(served: Served) -> Running:
    running: Running = served()
    return running


def png(size: tuple[int, int] = (64, 48), turned: int = 1) -> bytes:
    file = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = turned
    Image.new("RGB", size, (10, 90, 200)).save(file, "PNG", exif=exif)
    return file.getvalue()


def events_of(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
        elif line.startswith(":"):
            yield "comment", line


def test_a_sample_as_json_and_as_a_form(server: Running) -> None:
    encoded = {"base64": base64.b64encode(png()).decode()}
    url = "data:image/png;base64," + encoded["base64"]
    answers = [
        server.client.post("/v1/extract", json={**POST, "image": encoded}),
        server.client.post("/v1/extract", json={**POST, "image": url, "schema": "gmner"}),
        server.client.post(
            "/v1/extract",
            data={**POST, "seconds": "60", "mentions": '[{"text": "US Navy", "type": "ORG"}]'},
            files={"image": ("../../x.png", png())},
        ),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        found = Extraction.model_validate(answer.json())
        assert found.image is not None and (found.image.width, found.image.height) == (64, 48)
        assert found.image.source == "bytes"
        assert "images" not in answer.json()
    names = [[each["text"] for each in answer.json()["entities"]] for answer in answers]
    assert names == [["Grace Hopper", "US Navy"], ["Grace Hopper", "US Navy"], ["US Navy"]]
    both = [("image", ("a.png", png((20, 30)))), ("image", ("b.png", png((40, 50))))]
    several = server.client.post("/v1/extract", data=POST, files=both).json()
    assert [each["width"] for each in several["images"]] == [20, 40]


def test_every_node_is_told_of_as_it_starts_and_ends(server: Running) -> None:
    with server.client.stream("POST", "/v1/extract/stream", json=POST) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        (_, _), (first, start), *nodes, (last, result) = events_of(answer)
    assert (first, last) == ("start", "result")
    assert start["id"] == answer.headers["x-request-id"]
    began = [told["node"] for name, told in nodes if told["event"] == "start"]
    ended = [told["node"] for name, told in nodes if told["event"] == "end"]
    assert sorted(began) == sorted(ended) and {*began} <= {*start["nodes"]}
    assert Extraction.model_validate(result).entities


def test_a_silent_stream_says_that_it_is_there_and_one_that_is_left_stops(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deixis.serving.http.stream.EventStream.alive", 0.05)
    gate, asked = threading.Event(), threading.Semaphore(0)

    def wait(_: Question) -> None:
        asked.release()
        assert gate.wait(20)

    with scripted(wait):
        server = served()
        with server.client.stream("POST", "/v1/extract/stream", json=POST) as answer:
            told = events_of(answer)
            while next(told)[0] != "node":
                pass
            assert asked.acquire(timeout=20)
            comments = 0
            while comments < 3:
                comments += next(told)[0] == "comment"
        for _ in range(2000):  # the answer was left
            if all(job.why for job in list(server.service._jobs)):
                break
            threading.Event().wait(0.01)
        (job,) = server.service._jobs
        assert job.why == "nobody waits for it any more"
        gate.set()
        for _ in range(2000):
            if not server.service._jobs:
                break
            threading.Event().wait(0.01)
        assert not server.service._jobs
        text = server.client.get("/metrics").text
        assert 'deixis_orders_total{outcome="stopped"} 1.0' in text


def test_too_much_too_long_and_the_end(served: Served) -> None:
    gate = threading.Event()
    with scripted(lambda _: gate.wait(20) and None):
        server = served(None, Limits(concurrency=1, queue=0, grace=0.1))
        client = server.client
        late = client.post("/v1/extract", json={**POST, "seconds": 2})
        assert late.status_code == 504 and "2 s" in late.json()["detail"]
        busy = client.post("/v1/extract", json=POST)
        assert busy.status_code == 429 and 1 <= int(busy.headers["retry-after"]) <= 60
        stream = client.post("/v1/extract/stream", json=POST)
        assert stream.status_code == 429
        gate.set()
        while server.service._jobs:
            threading.Event().wait(0.01)
        assert client.post("/v1/extract", json=POST).status_code == 200
        server.service.close()
        assert client.post("/v1/extract", json=POST).status_code == 503
        assert client.get("/healthz").status_code == 503


def test_what_is_offered_described_and_counted(served: Served) -> None:
    server = served(None, Limits(budget=Budget(calls=3)))
    client = server.client
    graphs = client.get("/v1/graphs").json()
    assert graphs["default"] == {"stack": "starter", "graph": "main", "schema": "gmner"}
    assert graphs["gold"] is False and "open" in graphs["graphs"][0]["nodes"]
    assert client.get("/v1/schema").json() == Extraction.model_json_schema(mode="serialization")
    described = client.get("/openapi.json").json()
    bodies = described["paths"]["/v1/extract"]["post"]["requestBody"]["content"]
    assert {*bodies} == {"application/json", "multipart/form-data"}
    assert client.post("/v1/extract", json={**POST, "graph": "nope"}).status_code == 422
    assert client.post("/v1/extract", json=POST).json()["usage"]
    from prometheus_client.parser import text_string_to_metric_families

    families = text_string_to_metric_families(client.get("/metrics").text)
    figures = {
        (each.name, *sorted(each.labels.values())): each.value
        for family in families
        for each in family.samples
    }
    assert figures["deixis_orders_total", "done"] == 1
    assert sum(v for k, v in figures.items() if k[0] == "deixis_model_calls_total") == 3
    kinds = [k for k in figures if k[0] == "deixis_model_prompt_cache_tokens_total"]
    assert {kind for k in kinds for kind in ("read", "write") if kind in k} == {"read", "write"}
    assert figures["deixis_http_requests_total", "/v1/extract", "422"] == 1
    assert figures["deixis_node_seconds_count", "recognize"] == 1


def test_the_upright_picture(server: Running) -> None:
    answer = server.client.post("/v1/picture", files={"image": png((60, 20), turned=6)})
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(answer.content)).size == (20, 60)
    none = server.client.post("/v1/picture", json={})
    assert none.status_code == 422 and "image is missing" in none.json()["detail"]


def test_a_corrected_result_becomes_a_gold_row(served: Served, tmp_path: Path) -> None:
    from deixis.rows import read_rows
    from deixis.serving.gold_file import GoldFile

    file = tmp_path / "gold.jsonl"
    file.write_text('{"id": "0", "text": "an open line"}')
    server = served(gold=GoldFile(file))
    client = server.client
    result = client.post("/v1/extract", data=POST, files={"image": png()}).json()
    region = {"box": [1, 2, 30, 40], "score": 1.0, "source": "annotator"}
    result["entities"][0] |= {"groundable": True, "regions": [region]}
    body = json.dumps({"id": "post/../1", "extraction": result})
    saved = client.post("/v1/gold", data={"body": body}, files={"image": ("../p.png", png())})
    assert saved.status_code == 200 and saved.json()["saved"] is True, saved.text
    assert client.post("/v1/gold", json={"id": "2", "extraction": result}).status_code == 200
    rows = read_rows(file)
    assert [row.id for row in rows] == ["0", "post/../1", "2"]
    assert rows[1].image is not None and (tmp_path / rows[1].image).read_bytes() == png()
    assert rows[1].entities[0].regions is not None
    assert rows[1].entities[0].regions[0].box == (1, 2, 30, 40)
    before = file.read_bytes()
    wrong = [
        {"id": " ", "extraction": result},
        {"id": "3", "extraction": {**result, "text": "other"}},
        {"id": "3", "extraction": {**result, "entities": "x"}},
        {"extraction": result},
    ]
    for each in wrong:
        assert client.post("/v1/gold", json=each).status_code == 422
    other = {"image": png((64, 49))}
    refused = client.post("/v1/gold", data={"body": body}, files=other)
    assert refused.status_code == 422 and "not the one" in refused.json()["detail"]
    assert file.read_bytes() == before
    assert len(list((tmp_path / "gold.media").iterdir())) == 1


def test_without_a_file_the_row_is_given_back(server: Running) -> None:
    result = server.client.post("/v1/extract", data=POST, files={"image": png()}).json()
    body = json.dumps({"id": "1", "extraction": result})
    files = {"image": ("C:\\posts\\p.png", png())}
    made = server.client.post("/v1/gold", data={"body": body}, files=files).json()
    assert made["saved"] is False and made["row"]["image"] == "p.png"
    bare = server.client.post("/v1/gold", json={"id": "1", "extraction": result}).json()
    assert bare["row"]["image"] == result["image"]["sha256"]

"""Review over HTTP, on a real server: who may ask for what."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from .conftest import gold_of, results, retyped, write

pytestmark = [pytest.mark.extra, pytest.mark.slow, pytest.mark.process]
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")


@contextmanager
def serving(file: Path, *words: str) -> Iterator[httpx.Client]:
    """Run the command on a free port; killed in the end."""
    line = [sys.executable, "-c", "from deixis.apps.cli import main; main()", "review", str(file)]
    with subprocess.Popen(
        [*line, "--port", "0", *words], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            for said in process.stderr:
                if found := re.search(r"http://\S+", said):
                    break
            else:
                raise AssertionError("it has ended")
            with httpx.Client(base_url=found[0], trust_env=False, timeout=30) as client:
                yield client
        finally:
            process.send_signal(signal.SIGKILL)


def put(client: httpx.Client, n: int, **body: Any) -> httpx.Response:
    return client.put(f"/v1/review/rows/{n}", json={"reviewer": "ann", **body})


def test_rows_are_reviewed_and_a_kill_loses_nothing(file: Path) -> None:
    with serving(file) as client:
        about = client.get("/v1/review").json()
        assert about["rows"] == 3 and about["reviewers"] == []
        listed = client.get("/v1/review/rows", params={"order": "uncertain"}).json()
        assert [row["n"] for row in listed["rows"]] == [2, 3, 1]
        assert put(client, 1, verdict="accepted").status_code == 200
        right = retyped(results()[1], 1, "ORG")
        told = put(client, 2, verdict="corrected", extraction=right, seconds=3.5).json()
        assert told["changed"] == ["type"]
        stale = put(client, 2, verdict="skipped")
        assert stale.status_code == 409 and "open it again" in stale.json()["detail"]
    assert len(gold_of(file.with_name("results.review") / "ann.jsonl")) == 2
    with serving(file) as client:
        about = client.get("/v1/review", params={"reviewer": "ann"}).json()
        assert about["reviewers"] == [{"name": "ann", "accepted": 1, "corrected": 1}]
        row = client.get("/v1/review/rows/2", params={"reviewer": "ann"}).json()
        assert row["mine"]["version"] == told["version"]
        assert put(client, 2, verdict="accepted", version=told["version"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verdict": "fine"}, 422),
        ({"verdict": "corrected"}, 422),
        ({"verdict": "accepted", "extraction": {"text": "x"}}, 422),
        ({"verdict": "corrected", "extraction": {"text": "x"}}, 422),
        ({"verdict": "accepted", "reviewer": " "}, 422),
        ({"verdict": "accepted", "seconds": -1}, 422),
        ({"verdict": "accepted", "path": "/etc"}, 422),
    ],
)
def test_what_is_wrong_is_told(served: httpx.Client, body: dict[str, Any], status: int) -> None:
    answer = put(served, 1, **body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("served")
    Image.new("RGB", (64, 48), (200, 120, 40)).save(folder / "one.png")
    Image.new("RGB", (64, 48)).save(folder.parent / "outside.png")
    Image.new("RGB", (32, 48)).save(folder / "other.png")
    rows = results()
    sources = ["../outside.png", "other.png", "https://127.0.0.1/a.png", "/etc/passwd", "bytes"]
    for n, source in enumerate(sources):
        row = json.loads(json.dumps(rows[0]))
        row["id"] = f"m{n}"
        row["image"]["source"] = source
        rows.append(row)
    with serving(write(folder / "results.jsonl", rows)) as client:
        yield client


def test_a_picture_is_shown(served: httpx.Client) -> None:
    answer = served.get("/v1/review/rows/1/media/image/0")
    assert answer.headers["content-type"] == "image/png" and answer.content.startswith(b"\x89PNG")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("4/media/image/0", "outside the folder"),
        ("5/media/image/0", "another picture"),
        ("6/media/image/0", "--fetch-pictures"),
        ("7/media/image/0", "outside the folder"),
        ("8/media/image/0", "do not keep"),
        ("1/media/image/1", "no picture"),
        ("1/media/image/-1", "no picture"),
        ("1/media/audio/0", "no such medium"),
        ("1/media/..%2F..%2Fetc/0", ""),
        ("99/media/image/0", "no row 99"),
        ("99999999999999999999", "no row"),
    ],
)
def test_no_other_medium_is_opened(served: httpx.Client, path: str, why: str) -> None:
    answer = served.get(f"/v1/review/rows/{path}")
    assert answer.status_code == 404 and why in answer.json()["detail"]


def test_only_files_of_the_page_are_given(served: httpx.Client) -> None:
    assert served.get("/").headers["content-security-policy"].startswith("default-src 'none'")
    assert served.get("/page/review.js").headers["content-type"].startswith("text/javascript")
    for name in ("..%2Freview%2Fapp.py", "../review/app.py", "nothing.js", "%00.js"):
        assert served.get(f"/page/{name}").status_code == 404


def test_pages_of_other_sites_are_refused(served: httpx.Client) -> None:
    assert served.get("/v1/review", headers={"Host": "evil.example"}).status_code == 403
    assert served.get("/v1/review", headers={"Origin": "http://evil.example"}).status_code == 403
    here = str(served.base_url).rstrip("/")
    assert served.get("/v1/review", headers={"Origin": here}).status_code == 200


def test_it_answers_as_the_other_service_does(served: httpx.Client) -> None:
    about = served.get("/v1/review", headers={"X-Request-Id": "mine"})
    assert about.headers["x-request-id"] == "mine"
    assert about.headers["cross-origin-resource-policy"] == "same-origin"
    assert served.get("/healthz").json()["status"] == "ok"
    assert 'route="/v1/review",status="200"' in served.get("/metrics").text
    paths = served.get("/openapi.json").json()["paths"]
    assert "/v1/review/rows/{n}" in paths and "/v1/extract" not in paths
    for kind, body, status in (
        ("text/plain", b"{}", 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("application/json", b"[" * 100_000, 422),
        ("application/json", b'{"seconds": NaN}', 422),
        ("application/json", b"\xff", 422),
        ("application/json", b"[]", 422),
    ):
        told = served.put("/v1/review/rows/1", content=body, headers={"Content-Type": kind})
        assert told.status_code == status, told.text
        assert told.headers["content-type"] == "application/problem+json"
        assert told.json()["request_id"] == told.headers["x-request-id"]


def test_a_token_and_a_reviewer_are_asked_for(file: Path) -> None:
    with serving(file, "--token", "a-secret-of-reviewers", "--reviewer", "Ann Lee") as client:
        assert client.get("/").status_code == 200
        assert client.get("/v1/review").status_code == 401
        assert client.get("/v1/review", headers={"Authorization": "Bearer x"}).status_code == 401
        client.headers["Authorization"] = "Bearer a-secret-of-reviewers"
        assert client.get("/v1/review").json()["reviewer"] == "Ann Lee"
        assert "alone" in put(client, 1, verdict="accepted").json()["detail"]
        assert put(client, 1, verdict="accepted", reviewer="Ann Lee").status_code == 200


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--host", "0.0.0.0"], "give --token"),
        (["--json"], "--json is for"),
        (["--report", "--token", "x"], "stand alone"),
        (["--merge", "."], "cannot write .: it is a folder"),
        (["--token", "short"], "16 characters"),
        (["--also", "nothing.jsonl"], "nothing.jsonl"),
        (["--pictures", "nothing"], "no folder"),
        (["--reviewer", " "], "1 to 100"),
    ],
)
def test_unusable_words_end_with_two(file: Path, words: list[str], why: str) -> None:
    line = [sys.executable, "-c", "from deixis.apps.cli import main; main()", "review", str(file)]
    environment = {name: value for name, value in os.environ.items() if name != "DEIXIS_TOKEN"}
    done = subprocess.run([*line, *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and why in done.stderr and done.stderr.count("\n") == 1

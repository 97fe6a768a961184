"""Pictures by URL on the command line: who is asked, and what is kept of the URL."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from deixis.testing import Request, Response, Server, serving

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site() -> Iterator[Server]:
    """A host with one picture for those who know its token."""
    file = io.BytesIO()
    Image.new("RGB", (80, 60), "red").save(file, "PNG")

    def answer(request: Request) -> Response:
        known = "token=S3CRET" in request.path and "authorization" in request.headers
        return Response(200 if known else 403, file.getvalue())

    with serving(answer) as server:
        yield server


@pytest.mark.extra("starter")
def test_credentials_are_used_and_written_nowhere(
    deixis: Run,
    tmp_path: Path,
    site: Server,
    blind_stack: Path,
) -> None:
    host, calls = site.url.replace("http://", "me:S3CRET@"), site.requests
    stack = ("--stack", blind_stack)
    good, bad = f"http://{host}/a.png?token=S3CRET", f"http://{host}/a.png?api_key=S3CRET"
    out = tmp_path / "run"

    code, printed, said = deixis("run", good, "Grace Hopper", *stack, "--out", out)
    assert code == 2 and "not on the public internet" in said and "--urls any" in said
    code, _, refused = deixis("run", good, "Grace Hopper", *stack, "--urls", "none")
    assert code == 2 and "URLs are not opened" in refused and not calls

    url = ("--urls", "any")
    code, shown, err = deixis("run", good, "Grace Hopper", *stack, "--json", "--out", out, *url)
    assert code == 0, err
    assert len(calls) == 1, "what was fetched is also what is drawn"
    source = json.loads(shown)["image"]["source"]
    assert source == good.replace("me:S3CRET", "***").replace("S3CRET", "***")

    rows = [{"id": each, "text": "Grace Hopper", "image": each} for each in (good, bad)]
    rows = [{**each, "id": f"r{i}"} for i, each in enumerate(rows)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    batch = ("batch", tmp_path / "in.jsonl", "--out", tmp_path / "results" / "out.jsonl", *stack)
    code, some, more = deixis(*batch, *url)
    assert code == 1, more
    (row,) = (tmp_path / "results" / "out.jsonl").read_text().splitlines()
    assert json.loads(row)["image"]["source"] == source
    assert "403" in (tmp_path / "results" / "out.failures.jsonl").read_text()
    calls.clear()
    deixis(*batch, *url)
    assert [call.path for call in calls] == ["/a.png?api_key=S3CRET"], (
        "the finished row is not fetched again"
    )

    code, page, err = deixis("report", tmp_path / "results" / "out.jsonl", "--fetch-pictures")
    assert code == 0, err
    written = [each for each in tmp_path.rglob("*") if each.is_file() and each.name != "in.jsonl"]
    assert len(written) >= 7
    for each in written:
        assert b"S3CRET" not in each.read_bytes(), each
    for each in (said, refused, printed, shown, some, more, page, err):
        assert "S3CRET" not in each
    html = (tmp_path / "results" / "out.html").read_text()
    assert "had credentials, which results do not keep" in html

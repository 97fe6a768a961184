"""``deixis run FILE.pdf`` and ``deixis dataset convert pdf``."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.schema import Extraction
from tests.documents.pdfs import BODY, Pdf, article, wrapped

pytestmark = [pytest.mark.extra("pypdfium2"), pytest.mark.process]


@pytest.fixture
def folder(tmp_path: Path, hopper: Path, collins: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with article.pdf, in which commands are run."""
    article(tmp_path, hopper, collins)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(post: dict[str, Any]) -> dict[str, list[int]]:
    """Return names with the pages of all their places."""
    found: dict[str, list[int]] = {}
    for entity in post["entities"]:
        pages = [place["page"] for place in entity["places"]]
        found.setdefault(entity["text"], []).extend(pages)
    return found


def test_an_article_is_one_json_document(deixis: Any, folder: Path, blind_stack: Path) -> None:
    code, printed, _ = deixis("run", "article.pdf", "--stack", blind_stack, "--json")
    found = json.loads(printed)
    assert code == 0 and set(found) == {"document", "posts"}
    assert found["document"]["source"] == "article.pdf" and found["document"]["pages"] == 2
    first, second, third = map(Extraction.model_validate, found["posts"])
    assert first.image is None and second.image and third.image
    assert second.document and second.document.post == "article.pdf#p1-2"
    assert second.document.pictures[0].page == 1 and second.text.endswith(BODY)
    assert names(found["posts"][1])["Harvard University"] == [1]
    assert names(found["posts"][2])["Eileen Collins"] == [2, 1]


def test_an_article_is_shown_in_tables_and_written(
    deixis: Any, folder: Path, blind_stack: Path
) -> None:
    code, printed, _ = deixis(
        *("run", "article.pdf", "--pages", "2", "--stack", blind_stack, "--out", "out")
    )
    assert code == 0 and "article.pdf#p2-1: Figure 2. Eileen Collins" in " ".join(printed.split())
    assert "named on" in printed and "No language model" not in printed
    written = {path.name for path in (folder / "out").iterdir()}
    assert written == {"extraction.json", "page.html", "page-2.png"}
    found = json.loads((folder / "out/extraction.json").read_text())
    (post,) = map(Extraction.model_validate, found["posts"])
    page = (folder / "out/page.html").read_text()
    assert "article.pdf#p2-1" in page and "text, page 2" in page
    with Image.open(folder / "out/page-2.png") as drawn:
        assert drawn.size == (1190, 1684)
        (place,) = post.entities[0].places
        x, y = round(place.box[0] * 2) + 1, round(place.box[1] * 2)
        assert drawn.convert("RGB").getpixel((x, y)) != (255, 255, 255)  # marked


@pytest.mark.slow
@pytest.mark.extra("starter")
def test_people_in_an_article_are_seen_on_their_page(deixis: Any, folder: Path) -> None:
    code, printed, _ = deixis("run", "article.pdf", "--stack", "fast", "--json")
    posts = [Extraction.model_validate(post) for post in json.loads(printed)["posts"]]
    shown = {
        entity.text: post.on_page(region)
        for post in posts
        for entity in post.entities
        for region in entity.regions
    }
    assert code == 0 and {"Grace Hopper", "Eileen Collins"} <= set(shown)
    hopper, collins = shown["Grace Hopper"], shown["Eileen Collins"]
    assert hopper.page == 1 and hopper.box[0] >= 60 and hopper.box[2] <= 265.01
    assert collins.page == 2 and collins.box[1] >= 122 and collins.box[3] <= 362.01


def test_a_pdf_without_a_word_is_no_input(deixis: Any, folder: Path, blind_stack: Path) -> None:
    pdf = Pdf()
    pdf.page()
    pdf.save(folder / "blank.pdf")
    code, _, said = deixis("run", "blank.pdf", "--stack", blind_stack)
    assert code == 2 and "no text was found" in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["run", "article.pdf", "words"], "leave out the text"),
        (["run", "article.pdf", "--text", "words"], "leave out the text"),
        (["run", "article.pdf", "--image", "a.png"], "leave out the image"),
        (["run", "article.pdf", "--audio", "a.wav"], "leave out the audio"),
        (["run", "article.pdf", "--caption", "words"], "leave out the caption"),
        (["run", "article.pdf", "--pages", "3"], "has 2 pages"),
        (["run", "article.pdf", "--pages", "2-1"], "--pages takes numbers"),
        (["run", "article.pdf", "--pages", "1;2"], "--pages takes numbers"),
        (["run", "a.png", "words", "--pages", "1"], "--pages is for a PDF"),
        (["run", "--image", "article.pdf", "--text", "words"], "a PDF document"),
        (["run", "gone.pdf"], "no such file"),
        (["dataset", "convert", "pdf", "article.pdf", "--out", "-"], "name a file"),
        (["dataset", "convert", "pdf", "article.pdf", "--out", "article.pdf"], "the PDF itself"),
        (["dataset", "convert", "pdf", "gone.pdf", "--out", "r"], "no such file"),
        (["dataset", "convert", "pdf", "empty", "--out", "r"], "no file that ends in .pdf"),
        (
            ["dataset", "convert", "pdf", "article.pdf", "--out", "r", "--split", "dev"],
            "--split has no effect on 'pdf'",
        ),
        (["dataset", "convert", "pdf", "nowhere.pdf", "--out", "article.pdf"], "no such file"),
        (
            ["dataset", "convert", "pdf", "article.pdf", "--out", "r", "--max-text", "9"],
            "at least 100",
        ),
        (
            ["dataset", "convert", "pdf", "article.pdf", "--out", "r", "--reader", "eye"],
            "no tool 'eye'",
        ),
        (
            [
                "dataset",
                "convert",
                "gmner",
                "empty",
                "--split",
                "dev",
                "--out",
                "r",
                "--pages",
                "1",
            ],
            "--pages has no effect on 'gmner'",
        ),
        (["dataset", "convert", "gmner", "empty", "--out", "r"], "--split is missing"),
    ],
)
def test_what_a_pdf_does_not_go_with_is_an_error(
    deixis: Any, folder: Path, arguments: list[str], why: str
) -> None:
    (folder / "empty").mkdir()
    before = (folder / "article.pdf").read_bytes()
    code, printed, said = deixis(*arguments)
    assert (code, printed) == (2, "") and why in said and len(said.splitlines()) == 1
    assert (folder / "article.pdf").read_bytes() == before and not (folder / "r").exists()


def test_pdfs_become_rows_and_a_batch_says_the_same_as_a_run(
    deixis: Any, folder: Path, blind_stack: Path
) -> None:
    made = deixis("dataset", "convert", "pdf", "article.pdf", "--out", "rows.jsonl")
    assert made == (0, "wrote 3 rows to rows.jsonl (PDFs: 1, pictures: 2)\n", "")
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [
        "article.pdf#p1-1",
        "article.pdf#p1-2",
        "article.pdf#p2-1",
    ]
    assert rows[0]["image"] is None and rows[1]["image"].startswith("rows.media/")
    assert (folder / rows[1]["image"]).is_file()
    ran = json.loads(deixis("run", "article.pdf", "--stack", blind_stack, "--json")[1])
    code, _, said = deixis("batch", "rows.jsonl", "--out", "out.jsonl", "--stack", blind_stack)
    assert code == 0, said
    lines = (folder / "out.jsonl").read_text().splitlines()
    results = {result["id"]: result for result in map(json.loads, lines)}
    for post in ran["posts"]:
        result = results[post["document"]["post"]]
        assert result["document"] == post["document"] and result["entities"] == post["entities"]
        assert (result["image"] or {}).get("sha256") == (post["image"] or {}).get("sha256")
    # The same line again has nothing left to do; a row that stands elsewhere now is told.
    again = deixis("batch", "rows.jsonl", "--out", "out.jsonl", "--stack", blind_stack)
    assert again[0] == 0
    rows[1]["document"]["pictures"][0]["box"][0] -= 1
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, _, said = deixis("batch", "rows.jsonl", "--out", "out.jsonl", "--stack", blind_stack)
    assert code == 1 and "document" in said


@pytest.mark.extra("fastapi")
def test_a_corrected_post_of_a_pdf_is_whole_and_runs_again(
    deixis: Any, folder: Path, blind_stack: Path
) -> None:
    from deixis.serving.review.store import Store

    deixis("dataset", "convert", "pdf", "article.pdf", "--out", "rows.jsonl")
    batch = ("batch", "--stack", blind_stack, "--out")
    assert deixis(*batch, "out.jsonl", "rows.jsonl")[0] == 0
    store = Store(folder / "out.jsonl", folder / "out.review")
    for n in (1, 2, 3):
        store.review(n, "ann", "accepted")
    store.close()
    lines = [(folder / name).read_text() for name in ("out.jsonl", "out.review/ann.jsonl")]
    results, gold = (list(map(json.loads, each.splitlines())) for each in lines)
    assert [row["document"] for row in gold] == [row["document"] for row in results]
    for row, result in zip(gold, results, strict=True):
        for name in ("start", "places"):
            kept = [entity.get(name) for entity in row["entities"]]
            assert kept == [entity.get(name) for entity in result["entities"]]
    assert any(entity.get("places") for row in gold for entity in row["entities"])
    # It says where its pictures are, but not where each character is.
    code, _, said = deixis(*batch, "again.jsonl", folder / "out.review" / "ann.jsonl")
    assert code == 0, said
    again = [json.loads(line) for line in (folder / "again.jsonl").read_text().splitlines()]
    documents = {row["id"]: row["document"] for row in results}
    assert {row["id"]: row["document"] for row in again} == documents


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"document": 3}, "document"),
        ({"document": {"sha256": "1"}}, "document.source"),
        ({"text": "Short."}, "its lines are longer than the text"),
        ({"image": None}, "places of 1 pictures, and the row has 0"),
    ],
)
def test_a_row_that_is_not_from_its_document_fails_and_the_others_do_not(
    deixis: Any, folder: Path, blind_stack: Path, change: dict[str, Any], why: str
) -> None:
    deixis("dataset", "convert", "pdf", "article.pdf", "--out", "rows.jsonl")
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    rows[1] |= change
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, _, _ = deixis("batch", "rows.jsonl", "--out", "out.jsonl", "--stack", blind_stack)
    failed = (folder / "out.failures.jsonl").read_text()
    assert code == 1 and why in failed and len(failed.splitlines()) == 1
    assert len((folder / "out.jsonl").read_text().splitlines()) == 2


def test_a_folder_of_pdfs_loses_none_to_one_that_is_broken(deixis: Any, folder: Path) -> None:
    (folder / "all/inner").mkdir(parents=True)
    (folder / "all/broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "all/inner/A.PDF").write_bytes((folder / "article.pdf").read_bytes())
    pdf = Pdf()
    pdf.page().lines(60, 700, wrapped(BODY, 60))
    pdf.page()
    pdf.save(folder / "all/b.pdf")
    code, printed, said = deixis(
        *("dataset", "convert", "pdf", "all", "--out", "rows.jsonl", "--reader", "none"),
        *("--max-text", "150"),
    )
    assert code == 1 and "broken.pdf" in said and "PDFs: 2" in printed
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert {row["id"].partition("#")[0] for row in rows} == {"b.pdf", "inner/A.PDF"}
    assert all(len(row["text"]) <= 150 for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)

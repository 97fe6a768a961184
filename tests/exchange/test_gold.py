"""A gold row has all that is right of a result: of a video, and of a page of a PDF."""

from typing import Any

from deixis.exchange.gold import gold_row
from deixis.formats.muie_rows import MuieContent, MuieRow
from deixis.rows import parse_row
from deixis.schema import Extraction


def test_a_video_comes_back_with_its_tracks_and_spans() -> None:
    def frame(index: int, x: float) -> dict[str, Any]:
        region = {"box": [x, 1, x + 5, 9], "score": 0.9, "source": "x"}
        return {"time": index / 10, "index": index, "region": region}

    track = [frame(0, 1), frame(0, 20), frame(7, 3)]
    span = {"start": 0.25, "end": 1.0, "score": 0.5, "source": "x"}
    own = {"start": None, "end": None, "confidence": 0.5, "type": "PER"}
    video = {"sha256": "2" * 64, "seconds": 3.0, "width": 40, "height": 20, "frames": 30}
    given = {
        "text": "",
        "image": None,
        "video": {**video, "rate": 10.0, "sound": True, "source": "a.mp4"},
        "entities": [
            {**own, "id": "e1", "text": "Ann", "groundable": True, "track": track, "spans": [span]},
            {**own, "id": "e2", "text": "Bo", "groundable": False},
            {**own, "id": "e3", "text": "Cy", "groundable": None},
        ],
    }
    row = gold_row(Extraction.model_validate(given), "1", {"video": "media/a.mp4"})
    assert row["video"] == "media/a.mp4"
    ann, bo, cy = parse_row({**row, "task": "ner"}, MuieRow).entities
    assert ann.spans == ((0.25, 1.0),)
    boxes = [(each.frame, [region.box[0] for region in each.regions]) for each in ann.track or ()]
    assert boxes == [(0, [1, 20]), (7, [3])]
    # Bo is in none of the media; of Cy nobody could tell.
    assert (bo.regions, bo.spans, bo.track) == ((), (), ())
    assert (cy.regions, cy.spans, cy.track) == (None, None, None)


def test_a_page_of_a_pdf_comes_back_with_its_places() -> None:
    place = {"page": 2, "box": [10, 10, 60, 20]}
    region = {"box": [1, 2, 30, 40], "score": 0.9, "source": "x", "page": 2}
    entity = {"id": "e1", "text": "Ann", "start": 0, "end": 3, "type": "PER", "confidence": 1}
    given = {
        "text": "Ann speaks",
        "image": {"sha256": "0" * 64, "width": 64, "height": 48, "source": "p.png"},
        "document": {
            "sha256": "3" * 64,
            "source": "article.pdf",
            "pages": 3,
            "post": "article.pdf#p2-1",
            "on": [{"number": 2, "width": 600, "height": 800}],
            "pictures": [{"page": 2, "box": [100, 100, 300, 250]}],
        },
        "entities": [{**entity, "groundable": True, "regions": [region], "places": [place]}],
    }
    made = Extraction.model_validate(given)
    row = gold_row(made, "1")
    assert row["document"] == made.model_dump(mode="json")["document"]
    [kept] = row["entities"]
    assert kept["places"] == [place] and kept["regions"][0]["page"] == 2
    assert parse_row(row, MuieContent).entities[0].regions is not None
    # Nothing that is right is lost: what a run alone knows makes it an extraction again.
    told = {**entity, **kept, "groundable": True}
    told["regions"] = [{**region, **each} for each in kept["regions"]]
    again = {**row, "image": given["image"], "entities": [told]}
    fields = {name: value for name, value in again.items() if name in Extraction.model_fields}
    assert Extraction.model_validate(fields) == made

"""Parts of the page by themselves, in a browser: masks, characters, the reader of events."""

import json

import numpy as np
import pytest
from pycocotools import mask as coco

from deixis.schema import Mask
from tests.browser import Tab, needs_a_browser

pytestmark = needs_a_browser


def masks() -> list[np.ndarray]:
    random = np.random.default_rng(7)
    blob = np.zeros((61, 47), dtype=bool)
    blob[10:40, 5:30] = True
    return [
        blob,
        random.random((33, 58)) < 0.5,
        np.zeros((5, 7), dtype=bool),
        np.ones((1, 9), dtype=bool),
        np.indices((300, 200)).sum(axis=0) % 100 < 40,
    ]


def test_masks_are_decoded_as_pycocotools_does(page: Tab) -> None:
    for made in masks():
        encoded = coco.encode(np.asfortranarray(made, dtype=np.uint8))
        mask = {"size": list(encoded["size"]), "counts": encoded["counts"].decode()}
        got = page.run(
            f"import('/page/masks.js').then((m) => m.decode({json.dumps(mask)}).join(''))"
        )
        assert got == "".join("01"[int(dot)] for dot in made.ravel())


def test_a_mask_is_made_smaller_by_its_nearest_pixels(page: Tab) -> None:
    made = masks()[4]
    mask = Mask.from_array(made).model_dump(mode="json")
    height, width = 150, 80
    got = page.run(
        "import('/page/masks.js').then((m) => "
        f"m.decode({json.dumps(mask)}, {width}, {height}).join(''))"
    )
    rows = (np.arange(height) * 300 / height).astype(int)
    columns = (np.arange(width) * 200 / width).astype(int)
    assert got == "".join("01"[int(dot)] for dot in made[np.ix_(rows, columns)].ravel())


@pytest.mark.parametrize("counts", ["", "0", "zzzzzzzzzz", "P", "~~", "\u00e9", "99999999999999"])
def test_what_is_no_mask_is_not_painted(page: Tab, counts: str) -> None:
    mask = json.dumps({"size": [40, 40], "counts": counts})
    assert page.run(f"import('/page/masks.js').then((m) => m.painted({mask}, [1, 2, 3]) === null)")


def test_offsets_are_those_of_python(page: Tab) -> None:
    text = "\U0001f44b\U0001f3fd Zo\u00eb of \U0001f1e9\U0001f1ea met \U0001d4d0nn, Ann & Ann"
    code = f"""import('/page/characters.js').then((c) => {{
        const text = {json.dumps(text)};
        return [c.length(text), c.slice(text, 3, 6), c.placesOf(text, 'Ann'),
            c.runs(text, [[3, 6, 0], [4, 5, 1]]), c.trimmed(text, 2, 7)];
    }})"""
    size, words, places, runs, trimmed = page.run(code)
    assert (size, words) == (len(text), text[3:6])
    assert [text[start:end] for start, end in places] == ["Ann", "Ann"]
    assert places[0][0] == text.index("Ann")
    assert "".join(text[start:end] for start, end, _ in runs) == text
    assert [run[2] for run in runs] == [None, 0, 1, 0, None]
    assert trimmed == [3, 6]


EVENTS = (
    ': hello\r\n\r\nevent: node\r\ndata: {"node":"open"}\r\n\r\n'
    "data: one\ndata: two\n\n: keep alive\n\n"
    'event:result\ndata:{"text":"\U0001f44b \\u00e9"}\nid: 7\n\n'
    "event: empty\n\ndata\n\nevent: cut off\ndata: never"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_wherever_the_stream_is_cut(page: Tab, size: int) -> None:
    pieces = [EVENTS.encode()[i : i + size] for i in range(0, len(EVENTS.encode()), size)]
    code = f"""import('/page/sse.js').then(async ({{ eventsOf }}) => {{
        const pieces = {json.dumps([list(piece) for piece in pieces])};
        const stream = new ReadableStream({{ start(to) {{
            for (const piece of pieces) to.enqueue(new Uint8Array(piece));
            to.close();
        }} }});
        const found = [];
        for await (const {{ name, data }} of eventsOf(stream)) found.push([name, data]);
        return found;
    }})"""
    assert page.run(code) == [
        ["node", '{"node":"open"}'],
        ["message", "one\ntwo"],
        ["result", '{"text":"\U0001f44b \\u00e9"}'],
        ["message", ""],
    ]

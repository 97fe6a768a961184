"""A result with everything in it, and how it is put on a page."""

import base64
import io
import json
from typing import Any

import numpy as np
from PIL import Image

from deixis.schema import (
    Argument,
    Attribute,
    Decision,
    Entity,
    Event,
    Extraction,
    ImageInfo,
    Knowledge,
    Mask,
    ModelReply,
    Notice,
    Region,
    Relation,
    Trigger,
    Usage,
)
from tests.browser import Tab

EVIL = "<img src=x onerror=\"document.title='evil'\"><script>document.title='evil'</script>"
TEXT = f"\U0001f44b\U0001f3fd Ann {EVIL} Lee of NASA met Bob. NASA, NASA!"
SIZE = (400, 300)
SCHEMA = {
    "name": "own",
    "types": [
        {"name": "PER", "fine_types": ["astronaut", "politician"]},
        {"name": "ORG", "fine_types": []},
        {"name": EVIL, "fine_types": [EVIL]},
    ],
    "relations": [{"name": "works for"}, {"name": "knows"}],
    "events": [{"name": "Meet", "roles": ["who"]}, {"name": "Leave", "roles": []}],
}


def entity(id_: str, words: str, type_: str, start: int = 0, **fields: Any) -> Entity:
    at = TEXT.index(words, start)
    values = {"start": at, "end": at + len(words), "confidence": 0.9, "groundable": False}
    return Entity(id=id_, text=words, type=type_, **(values | fields))


def made(**fields: Any) -> Extraction:
    """Return a result of two pictures, with hostile words wherever words may stand."""
    pixels = np.zeros((SIZE[1], SIZE[0]), dtype=bool)
    pixels[60:200, 50:150] = True
    info = {"sha256": "0" * 64, "width": SIZE[0], "height": SIZE[1]}
    pictures = [ImageInfo(source=f"a/{name}.png", **info) for name in ("one", EVIL)]
    said = {
        "e1": {"hair": "grey", "hat": EVIL},
        "e2": {"logo": "blue"},
    }
    replies = [
        ModelReply(
            id=f"consult/{i}/1",
            role="committee",
            model=f"scripted:{i}",
            prompt="consult 4",
            status="ok",
            finish_reason="stop",
            text=json.dumps(said) if i < 3 else EVIL,
        )
        for i in (1, 2, 3)
    ]
    decisions = [
        Decision(step="recognize", subject="type", outcome="PER", model=EVIL, evidence=[EVIL]),
        Decision(
            step="vote",
            subject="hair",
            outcome="grey",
            confidence=1.0,
            evidence=["members who knew agreed"],
            replies=[reply.id for reply in replies],
        ),
        Decision(step="entail", subject="groundable", outcome="yes", evidence=["seen", EVIL]),
    ]
    region = Region(box=(50, 60, 150, 200), mask=Mask.from_array(pixels), score=0.8, source="tiny")
    second = Region(box=(10, 10, 60, 60), score=0.5, source=EVIL, image=1)
    values = {
        "text": TEXT,
        "image": pictures[0],
        "images": pictures,
        "caption": EVIL,
        "entities": [
            entity(
                "e1",
                f"Ann {EVIL} Lee",
                "PER",
                fine_type="astronaut",
                expression=EVIL,
                groundable=True,
                regions=[region, second],
                knowledge=Knowledge(
                    attributes=[Attribute(name="hair", value="grey", votes=3, agreement=1.0)],
                    summary=EVIL,
                ),
                decisions=decisions,
            ),
            entity("e2", "NASA", "ORG"),
            entity("e3", "Bob", EVIL, groundable=None),
        ],
        "relations": [
            Relation(id="r1", subject="e1", type="works for", object="e2", confidence=0.7),
            Relation(id="r2", subject="e3", type="knows", object="e1", confidence=0.6),
        ],
        "events": [
            Event(
                id="v1",
                type="Meet",
                trigger=Trigger(text="met", start=TEXT.index("met"), end=TEXT.index("met") + 3),
                arguments=[
                    Argument(role="who", entity="e1", confidence=0.9),
                    Argument(role=EVIL, entity="e3", confidence=0.8),
                ],
                confidence=0.5,
            )
        ],
        "replies": replies,
        "usage": [Usage(role="committee", model=EVIL, calls=3, input_tokens=1200)],
        "warnings": [Notice(step="entail", message=EVIL)],
        "types": ["PER", "ORG", EVIL],
    }
    return Extraction(**(values | fields))


def png(colour: tuple[int, int, int]) -> str:
    """Return a picture as a URL."""
    file = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def mount(tab: Tab, extraction: Extraction, *, editable: bool = True, **media: Any) -> None:
    """Put a result on the page, as ``sheet``; ``changes`` counts its events."""
    given = {
        "extraction": extraction.model_dump(mode="json"),
        "media": media or {"images": [png((90, 120, 90)), png((90, 90, 120))]},
        "schema": SCHEMA,
        "editable": editable,
    }
    tab.run(
        f"""import('/page/view.js').then(({{ Sheet }}) => {{
            window.sheet?.destroy();
            const root = document.createElement('div');
            root.id = 'mounted';
            document.querySelector('main').replaceChildren(root);
            window.sheet = new Sheet(root, {json.dumps(given)});
            window.changes = 0;
            sheet.addEventListener('change', () => {{ changes += 1; }});
        }})"""
    )


def shown(tab: Tab) -> Extraction:
    """Return what is on the page: the records check it."""
    return Extraction.model_validate(tab.run("sheet.extraction"))

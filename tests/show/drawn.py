"""A box, a disc and entities to be shown."""

import numpy as np

from deixis.schema import Entity

BOX = (10.0, 20.0, 60.5, 90.0)
DISC = np.hypot(*np.mgrid[-50:70, -30:130]) < 30


def entity(post: str, text: str, kind: str, **fields: object) -> Entity:
    """Return the entity of a post whose name first stands there."""
    start = post.index(text)
    values = {"id": text.lower(), "confidence": 0.75} | fields
    return Entity(text=text, start=start, end=start + len(text), type=kind, **values)

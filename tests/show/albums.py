"""An extraction that looked at two pictures."""

import hashlib
from pathlib import Path

from PIL import Image

from deixis.schema import Entity, Extraction, ImageInfo, Region


def album(folder: Path) -> Extraction:
    """Write two pictures, and return one entity in the second of them, and one in both."""
    infos = []
    for name, size, grey in (("a.png", (160, 120), 128), ("b <i>.png", (80, 100), 60)):
        path = folder / name
        Image.new("RGB", size, (grey,) * 3).save(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        infos.append(ImageInfo(sha256=sha256, width=size[0], height=size[1], source=str(path)))
    there = Region(box=(10.0, 10.0, 60.0, 90.0), score=0.5, source="x", image=1)
    both = [there.model_copy(update={"image": 0}), there]
    words = {"start": None, "end": None, "type": "person", "confidence": 1.0, "groundable": True}
    entities = [
        Entity(id="e1", text="Ann", regions=[there], **words),
        Entity(id="e2", text="Bob", regions=both, **words),
    ]
    return Extraction(text="", image=infos[0], images=infos, entities=entities)

"""The labeling configuration of Label Studio for the types of a file."""

from collections.abc import Iterable
from xml.etree import ElementTree

from deixis.exchange.items import Item
from deixis.exchange.label_studio_terms import NOBODY, SAME, UNFILMED, UNHEARD, UNSEEN
from deixis.exchange.labels import Labels, unique
from deixis.exchange.sizes import pictures_of
from deixis.exchange.xml_text import element

_KEEP_SPACES = ".htx-text{ white-space: pre-wrap; }"  # else they are shown as one


class Media:
    """Which media a file has, as the configuration has to show them."""

    def __init__(self) -> None:
        self.image = self.images = self.audio = self.video = False

    def add(self, item: Item) -> None:
        """Take the media of an item in."""
        count = len(pictures_of(item))
        self.image |= count > 0
        self.images |= count > 1
        self.audio |= item.row.audio is not None
        self.video |= item.row.video is not None


def config_of(labels: Labels, media: Media) -> bytes:
    """Return the configuration, XML in UTF-8."""
    types, events = labels.types(), labels.events()
    view = ElementTree.Element("View")
    _add(view, "Style").text = _KEEP_SPACES
    roles = [role for roles in events.values() for role in roles]
    arrows = _add(view, "Relations")
    for name in unique([SAME, *labels.relations(), *roles]):
        _add(arrows, "Relation", value=name)
    _labels(view, "Labels", "type", "text", types)
    if events:
        _labels(view, "Labels", "trigger", "text", events)
    _add(view, "Text", name="text", value="$text")
    _said_of(view, "text", types)
    if media.image:
        _labels(view, "RectangleLabels", "box", "image", types)
        _labels(view, "BrushLabels", "mask", "image", types)
        source = {"valueList": "$images"} if media.images else {"value": "$image"}
        _add(view, "Image", name="image", **source)
        _said_of(view, "image", types)
    if media.audio or media.video:
        _labels(view, "Labels", "sound", "audio", types)
        if events:
            _labels(view, "Labels", "trigger-sound", "audio", events)
        _add(view, "Audio", name="audio", value="$audio")
        _said_of(view, "audio", types)
    if media.video:
        _labels(view, "Labels", "track-type", "video", types)
        _add(view, "VideoRectangle", name="track", toName="video")
        _add(view, "Video", name="video", value="$video")
        _said_of(view, "video", types)
    ElementTree.indent(view)
    return bytes(ElementTree.tostring(view, encoding="utf-8")) + b"\n"


def _add(parent: "ElementTree.Element", tag: str, **given: str) -> "ElementTree.Element":
    made = element(tag, given)
    parent.append(made)
    return made


def _labels(
    view: "ElementTree.Element", tag: str, name: str, shown: str, values: Iterable[str]
) -> None:
    group = _add(view, tag, name=name, toName=shown)
    for value in values:
        _add(group, "Label", value=value)


def _said_of(view: "ElementTree.Element", shown: str, types: dict[str, list[str]]) -> None:
    """Add what can be said of one region: its name, its fine type, and where it is not."""
    region = {"toName": shown, "perRegion": "true"}
    if shown != "text":
        _add(
            view, "TextArea", name=f"name-{shown}", placeholder="name", maxSubmissions="1", **region
        )
    if any(types.values()):
        tree = _add(view, "Taxonomy", name=f"fine-{shown}", maxUsages="1", **region)
        for name, fine in types.items():
            branch = _add(tree, "Choice", value=name)
            for each in fine:
                _add(branch, "Choice", value=each)
    choices = _add(view, "Choices", name=f"seen-{shown}", choice="multiple", **region)
    for value in (NOBODY, UNSEEN, UNHEARD, UNFILMED):
        _add(choices, "Choice", value=value)

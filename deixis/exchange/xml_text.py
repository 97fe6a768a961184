"""Text of posts and models in XML."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree

_NEVER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Return a text without the characters that no XML may hold, escaped or not."""
    return _NEVER.sub("\ufffd", text)


def element(
    tag: str, given: Mapping[str, object] | None = None, text: str = ""
) -> "ElementTree.Element":
    """Return an element with a text and attributes, in which any character may stand."""
    made = ElementTree.Element(
        tag, {name: xml_text(str(each)) for name, each in (given or {}).items()}
    )
    made.text = xml_text(text) or None
    return made

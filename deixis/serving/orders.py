"""What a client asks for: one sample, how it is to be worked on, and how much that may cost.

Media come as http(s) URLs or as data. A path of this machine, or the record of an earlier result,
which names one, is none of these.
"""

import base64
import binascii
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from deixis.base.boxes import Box
from deixis.formats.muie_rows import Task

_DATA = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_FORMS = 'an http(s) URL, a data: URL in base64, or {"base64": "..."}'


class Encoded(BaseModel):
    """The bytes of a file, in base64."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Annotated[
        bytes,
        BeforeValidator(lambda given: decoded(given) if isinstance(given, str) else given),
        PlainSerializer(lambda data: base64.b64encode(data).decode(), when_used="json"),
        Field(alias="base64", json_schema_extra={"format": "byte"}, repr=False),
    ]

    @classmethod
    def of(cls, data: bytes) -> "Encoded":
        """Return an uploaded file."""
        return cls.model_construct(data=data)


def decoded(written: str) -> bytes:
    """Return what is written in base64; raises ValueError if it is not."""
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64 (RFC 4648, with padding)") from None


def _medium(given: Any) -> Any:
    if isinstance(given, Encoded):
        return given
    if isinstance(given, dict) and isinstance(given.get("base64"), str) and len(given) == 1:
        return Encoded.of(decoded(given["base64"]))
    if isinstance(given, str) and (start := _DATA.match(given)):
        return Encoded.of(decoded(given[start.end() :]))
    if isinstance(given, str) and given.lower().startswith(("http://", "https://")):
        return given
    raise ValueError(f"give {_FORMS}; files of the server cannot be named")


Medium = Annotated[
    Annotated[str, Field(max_length=8192)] | Encoded,
    BeforeValidator(_medium),
    Field(description=_FORMS),
]


class Named(BaseModel):
    """A name of the text that the client knows; ``start`` and ``end`` are half-open characters."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str
    type: str
    start: int | None = None
    end: int | None = None
    fine_type: str | None = None


class Order(BaseModel):
    """One sample and what is wanted of it; as what `invoke` takes, but for media (see above).

    ``stack``, ``graph`` and ``schema`` are names among those offered; None is the server's
    choice. ``seconds``, ``calls`` and ``tokens`` are the most that may be spent, if the server
    does not allow less.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    text: str = Field(default="", description="the words that go with the picture")
    image: Medium | None = None
    images: Annotated[list[Medium], Field(max_length=16)] | None = Field(
        default=None, description="several pictures, in place of image"
    )
    audio: Medium | None = None
    video: Medium | None = None
    caption: str | None = Field(default=None, description="a description of the picture")
    mentions: Annotated[list[Named], Field(max_length=1000)] | None = Field(
        default=None, description="the names of the text: no others are looked for"
    )
    patches: Annotated[list[Box], Field(max_length=1000)] | None = Field(
        default=None, description="boxes (x1, y1, x2, y2) in pixels, for graphs that match patches"
    )
    task: Annotated[list[Task], Field(max_length=3)] | None = Field(
        default=None, description="of graph muie: entities, relations, events"
    )
    stack: str | None = None
    graph: str | None = None
    types: str | None = Field(default=None, alias="schema")
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    calls: int | None = Field(default=None, ge=0, le=10**12)
    tokens: int | None = Field(default=None, ge=0, le=10**12)

    def given(self) -> dict[str, Any]:
        """Return what the graph is invoked with: bytes and URLs."""
        given: dict[str, Any] = {"text": self.text, "image": _bare(self.image)}
        if self.images:
            given["images"] = [_bare(each) for each in self.images]
        for name in ("audio", "video"):
            if (medium := getattr(self, name)) is not None:
                given[name] = _bare(medium)
        if self.mentions is not None:
            given["mentions"] = [each.model_dump(exclude_none=True) for each in self.mentions]
        rest = {"caption": self.caption, "task": self.task, "patches": self.patches}
        return given | {name: each for name, each in rest.items() if each is not None}


def _bare(medium: str | Encoded | None) -> str | bytes | None:
    return medium.data if isinstance(medium, Encoded) else medium

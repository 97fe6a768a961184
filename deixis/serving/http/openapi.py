"""What the description of the service (OpenAPI) says of bodies and answers, with examples."""

from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from deixis.formats.muie_rows import Task
from deixis.schema import Extraction
from deixis.serving.orders import Order

_REF = "#/components/schemas/{model}"
_FILE = {"type": "string", "format": "binary"}
_TEXT = "Grace Hopper of the US Navy"
_URL = "https://example.org/hopper.jpg"
_OFFLINE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mNwaDiAFTEMLQkAYvNgAQlP"
    "C90AAAAASUVORK5CYII="
)


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": _REF.format(model=name)}


def _body(json: dict[str, Any], form: dict[str, Any], **examples: Any) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in examples.items()}
    content = {
        "application/json": {"schema": json, "examples": shown},
        "multipart/form-data": {"schema": form},
    }
    return {"requestBody": {"required": True, "content": content}}


_EXAMPLES = {
    "text": {"text": _TEXT},
    "picture": {"text": _TEXT, "image": _URL},
    "bytes": {"text": _TEXT, "image": {"base64": _OFFLINE}, "seconds": 60, "calls": 20},
}
_FORM = {
    "type": "object",
    "properties": {
        **{
            name: {"type": "string"}
            for name in ("text", "caption", "task", "stack", "graph", "schema")
        },
        "image": {"type": "array", "items": _FILE},
        "audio": _FILE,
        "video": _FILE,
        "mentions": {"type": "string", "description": "JSON"},
        "patches": {"type": "string", "description": "JSON"},
        "seconds": {"type": "number", "exclusiveMinimum": 0},
        "calls": {"type": "integer", "minimum": 0},
        "tokens": {"type": "integer", "minimum": 0},
    },
}
_PROBLEM = {"application/problem+json": {"schema": _ref("Problem")}}
_SAID = {
    400: "The body was cut off",
    401: "A token is wanted",
    403: "Asked from elsewhere",
    408: "The body came too slowly",
    413: "Too large",
    415: "Neither JSON nor a form",
    422: "Something of it cannot be used",
    429: "As much to do as it takes: see Retry-After",
    503: "Not set up, or about to end",
    504: "Out of time",
}


def _answers(kind: str, schema: dict[str, Any], said: str) -> dict[int | str, dict[str, Any]]:
    problems: dict[int | str, dict[str, Any]] = {
        status: {"description": what, "content": _PROBLEM} for status, what in _SAID.items()
    }
    return {200: {"description": said, "content": {kind: {"schema": schema}}}, **problems}


_STREAM_SAID = (
    "Events: `start` {id, nodes}; `node` {node, event: start or end, seconds, detail}; `result` an "
    "extraction, the last; or `error` a problem"
)
EXTRACT: dict[str, Any] = {
    "openapi_extra": _body(_ref("Order"), _FORM, **_EXAMPLES),
    "responses": _answers("application/json", _ref("Extraction"), "An extraction"),
}
STREAM: dict[str, Any] = {
    "openapi_extra": _body(_ref("Order"), _FORM, **_EXAMPLES),
    "responses": _answers("text/event-stream", {"type": "string"}, _STREAM_SAID),
}
_IMAGE = {"type": "object", "properties": {"image": _FILE}, "required": ["image"]}
PICTURE: dict[str, Any] = {
    "openapi_extra": _body(_ref("Order"), _IMAGE, picture={"image": _URL}),
    "responses": {
        **_answers("image/png", _FILE, "The picture"),
        200: {
            "description": "The picture",
            "content": {"image/png": {"schema": _FILE}, "image/jpeg": {"schema": _FILE}},
        },
    },
}
_CORRECTED = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "extraction": _ref("Extraction"),
        "task": {"enum": [*get_args(Task)]},
    },
    "required": ["id", "extraction"],
    "additionalProperties": False,
}
_SAVED = {
    "type": "object",
    "properties": {"row": {"type": "object"}, "saved": {"type": "boolean"}},
    "required": ["row", "saved"],
}
_SIGNED = {
    "type": "object",
    "properties": {
        "body": {"type": "string", "description": "JSON as in the other form of the body"},
        "image": {"type": "array", "items": _FILE},
        "audio": _FILE,
        "video": _FILE,
    },
    "required": ["body"],
}
_EMPTY: dict[str, Any] = {"text": _TEXT, "image": None, "entities": []}
GOLD: dict[str, Any] = {
    "openapi_extra": _body(_CORRECTED, _SIGNED, empty={"id": "1", "extraction": _EMPTY}),
    "responses": _answers("application/json", _SAVED, "The row"),
}
_FIGURES = {"text/plain": {"schema": {"type": "string"}}}
METRICS: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"description": "The text format", "content": _FIGURES}},
}


class _Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


def components() -> dict[str, Any]:
    """Return the schemas that the routes refer to."""
    kinds: list[Any] = [(Order, "validation"), (Extraction, "validation"), (_Problem, "validation")]
    _, made = models_json_schema(kinds, ref_template=_REF)
    schemas: dict[str, Any] = made["$defs"]
    schemas["Problem"] = schemas.pop("_Problem") | {"title": "Problem"}
    return schemas

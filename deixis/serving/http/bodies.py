"""Bodies of requests: JSON or a form with files, of a bounded size, read in a bounded time."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from deixis.base.json_lines import HALF, LIST, has_half, parsed
from deixis.base.problems import describe_problem
from deixis.serving.http.problems import Problem
from deixis.serving.orders import Encoded, Order

T = TypeVar("T")
Files = dict[str, list[tuple[str, bytes]]]
"""Names and bytes of uploads, by field."""
_MOST_FIELDS, _LONGEST_FIELD = 100, 4_000_000
_MOST_KEYS = 1000  # of an object: what is wrong with each is found before it is refused
_SECONDS = 120.0  # in which a body has to come


class Bounded:
    """Lets so many bytes of a body through, and no more.

    Args:
        receive: what gives them.
        most: bytes.
    """

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most, self._come = receive, most, 0

    async def __call__(self) -> Message:
        """Return the next message; raises Problem where there are too many bytes."""
        message = await self._receive()
        self._come += len(message.get("body", b""))
        if self._come > self._most:
            raise too_large(self._most)
        return message


def too_large(most: int) -> Problem:
    """Return what is said of a body that is too large."""
    said = f"the body has more than {most:,} bytes; send less"
    return Problem(413, "Too large", said, {"Connection": "close"})


async def order_of(request: Request) -> Order:
    """Return the order of a request, which is JSON or a form.

    Raises:
        Problem: it is neither, or wrong.
    """
    fields, files = await fields_of(request)
    if files is not None:
        fields = _of_form(fields, files)
    try:
        return await asyncio.to_thread(Order.model_validate, fields)
    except ValidationError as error:
        raise Problem(422, "Cannot be used", describe_problem(error, Order)) from None


async def fields_of(request: Request) -> tuple[dict[str, Any], Files | None]:
    """Return what a request says, and of a form its files and all texts of each field.

    Raises:
        Problem: it is neither JSON nor a form, or cannot be read.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        said = await in_time(request.body())
        return _object(await asyncio.to_thread(json_value, said)), None
    if kind == "multipart/form-data":
        return await _form(request)
    raise Problem(
        415, "Not understood", "send JSON (application/json) or a form (multipart/form-data)"
    )


async def json_of(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request says.

    Raises:
        Problem: it is something else, or cannot be read.
    """
    fields, files = await fields_of(request)
    if files is not None:
        raise Problem(415, "Not understood", "send JSON (application/json)")
    return fields


async def in_time(reading: Awaitable[T]) -> T:
    """Return what is read, if it comes in time.

    Raises:
        Problem: it does not, or the client has left.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            return await reading
    except TimeoutError:
        raise Problem(408, "Too slow", f"the body did not come in {_SECONDS:g} s") from None
    except ClientDisconnect:
        raise Problem(400, "Cut off", "the body was not sent whole") from None


def json_value(body: bytes, what: str = "the body") -> Any:
    """Return what JSON says, if it is text and has no object with very many keys.

    Raises:
        Problem: it is not, or no JSON.
    """
    try:
        written = body.decode("utf-8")
        said = parsed(written, constants=False)
    except UnicodeDecodeError as error:
        raise Problem(422, "Not JSON", f"{what} is not UTF-8 ({error.reason})") from None
    except (ValueError, RecursionError) as error:
        why = str(error).removesuffix(f": {LIST}")  # which is about files of rows
        raise Problem(422, "Not JSON", f"{what} is not JSON: {why}") from None
    if has_half(written, said):
        raise Problem(422, "Not JSON", f"{what}: {HALF}")
    left = [said] if isinstance(said, dict | list) else []
    while left:
        each = left.pop()
        if isinstance(each, dict) and len(each) > _MOST_KEYS:
            raise Problem(422, "Cannot be used", f"{what} has an object of over {_MOST_KEYS} keys")
        inner = each.values() if isinstance(each, dict) else each
        left += [one for one in inner if isinstance(one, dict | list)]
    return said


def _object(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise Problem(422, "Cannot be used", "the body is no JSON object")
    return said


async def _form(request: Request) -> tuple[dict[str, Any], Files]:
    texts: dict[str, Any] = {}
    files: Files = {}
    reading = request.form(
        max_files=_MOST_FIELDS, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD
    )
    try:
        form: FormData = await in_time(reading)
    except Problem:
        raise
    except Exception as error:  # Starlette's, and those of the parser it uses
        why = getattr(error, "detail", "") or "its parts do not fit together"
        raise Problem(422, "Not a form", f"the form cannot be read: {why}") from None
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            files.setdefault(name, []).append((value.filename or "", await value.read()))
        else:
            texts.setdefault(name, []).append(value)
    await form.close()
    return texts, files


def _of_form(texts: Mapping[str, list[str]], files: Files) -> dict[str, Any]:
    """Return a form as an order has it: what is a list there may stand several times."""
    fields: dict[str, Any] = {}
    pictures: list[Any] = []
    for name, values in texts.items():
        if name in ("image", "images"):
            pictures += filter(None, values)
        elif len(values) > 1:
            raise Problem(422, "Cannot be used", f"{name}: stands there {len(values)} times")
        elif values[0] or name == "text":
            fields[name] = _read(name, values[0])
    for name, given in files.items():
        encoded = [Encoded.of(data) for _, data in given]
        if name in ("image", "images"):
            pictures += encoded
        elif name not in ("audio", "video"):
            known = "known: image, audio, video"
            raise Problem(422, "Cannot be used", f"there is no file {name[:80]!r}; {known}")
        elif len(encoded) > 1 or name in fields:
            raise Problem(422, "Cannot be used", f"{name}: one is taken, and several were sent")
        else:
            fields[name] = encoded[0]
    if pictures:
        fields |= {"image": pictures[0]} if len(pictures) == 1 else {"images": pictures}
    return fields


def _read(name: str, text: str) -> Any:
    if name == "task" and text.lstrip()[:1] != "[":
        return [each.strip() for each in text.split(",")]
    if name in ("mentions", "patches", "task"):
        return json_value(text.encode("utf-8", "replace"), name)
    return text

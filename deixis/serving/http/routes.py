"""The routes under ``/v1``: what is offered, samples to work on, and what was corrected."""

import asyncio
import io
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from PIL import Image
from pydantic import BaseModel, ConfigDict

from deixis.base.images import open_image
from deixis.errors import InputError
from deixis.formats.muie_rows import Task
from deixis.schema import Extraction
from deixis.serving.gold_file import GoldFile, Uploads, row_of
from deixis.serving.http import openapi
from deixis.serving.http.bodies import fields_of, json_value, order_of
from deixis.serving.http.problems import Problem
from deixis.serving.http.stream import EventStream, result_of
from deixis.serving.service import Service

_LOSSLESS = 2_000_000  # pixels of a picture that is sent as PNG; larger ones as JPEG


class Corrected(BaseModel):
    """What a person says is right: an extraction, the id of its row, and what was looked for."""

    model_config = ConfigDict(extra="forbid")

    id: str
    extraction: Extraction
    task: Task | None = None


def told_router(service: Service, gold: GoldFile | None) -> APIRouter:
    """Return the routes that say what there is."""
    router = APIRouter(prefix="/v1", tags=["about"])

    @router.get("/graphs", summary="Stacks, graphs and type schemas to choose from")
    async def graphs() -> JSONResponse:
        offered = await asyncio.to_thread(service.offers.describe)
        return JSONResponse(offered | {"gold": gold is not None})

    @router.get("/schema", summary="The JSON Schema of a result")
    async def schema() -> JSONResponse:
        return JSONResponse(Extraction.model_json_schema(mode="serialization"))

    return router


def work_router(service: Service) -> APIRouter:
    """Return the routes that run samples."""
    router = APIRouter(prefix="/v1", tags=["samples"])
    looking = asyncio.Semaphore(2)  # decoding takes memory

    @router.post("/extract", summary="Run one sample", **openapi.EXTRACT)
    async def extract(request: Request) -> JSONResponse:
        order = await order_of(request)
        job = service.start(order, request.state.request_id)
        return JSONResponse(await result_of(job, request))

    @router.post("/extract/stream", summary="Run one sample, told as it goes", **openapi.STREAM)
    async def stream(request: Request) -> Response:
        order = await order_of(request)
        return EventStream(service.start(order, request.state.request_id))

    @router.post("/picture", summary="A picture as a graph sees it: upright", **openapi.PICTURE)
    async def picture(request: Request) -> Response:
        order = await order_of(request)
        given = order.given()["image"]
        if given is None:
            raise Problem(422, "Cannot be used", "image is missing; give a picture")
        options = service.offers.default.options

        def made() -> tuple[bytes, str]:
            opened = open_image(given, max_pixels=options.max_pixels, urls=options.urls)
            return encoded(Image.fromarray(opened.pixels))

        async with looking:
            data, kind = await asyncio.to_thread(made)
        return Response(data, media_type=kind)

    return router


def gold_router(gold: GoldFile | None) -> APIRouter:
    """Return the route that takes what was corrected."""
    router = APIRouter(prefix="/v1", tags=["corrections"])

    @router.post("/gold", summary="Make a gold row of a corrected result", **openapi.GOLD)
    async def save(request: Request) -> JSONResponse:
        said, uploads = await _corrected(request)
        make = row_of if gold is None else gold.add
        row = await asyncio.to_thread(make, said.extraction, said.id, uploads, said.task)
        return JSONResponse({"row": row, "saved": gold is not None})

    return router


async def _corrected(request: Request) -> tuple[Corrected, Uploads]:
    fields, files = await fields_of(request)
    if files is None:
        return await asyncio.to_thread(Corrected.model_validate, fields), {}
    if set(fields) != {"body"} or len(fields["body"]) != 1:
        raise Problem(422, "Cannot be used", "the form needs one field, body, and files")
    if unknown := files.keys() - {"image", "audio", "video"}:
        wrong = sorted(unknown)[0][:80]
        raise InputError(f"there is no file {wrong!r}; known: image, audio, video")

    def read() -> Corrected:
        said = json_value(fields["body"][0].encode("utf-8", "replace"))
        return Corrected.model_validate(said)

    return await asyncio.to_thread(read), files


def encoded(picture: Image.Image) -> tuple[bytes, str]:
    """Return a picture as a file that browsers show, and its media type."""
    file, small = io.BytesIO(), picture.width * picture.height <= _LOSSLESS
    options: dict[str, Any] = {"format": "PNG"} if small else {"format": "JPEG", "quality": 92}
    picture.save(file, **options)
    return file.getvalue(), "image/png" if small else "image/jpeg"

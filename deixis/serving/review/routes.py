"""Review over HTTP: which rows there are, one row, its media, and what a reviewer says of it."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from deixis.errors import DeixisError
from deixis.serving.http.bodies import json_of
from deixis.serving.http.problems import Problem
from deixis.serving.review.index import Order, State, Wanted
from deixis.serving.review.media import medium_of
from deixis.serving.review.store import StaleError, Store, Verdict

Name = Annotated[str, Query(max_length=100)]


class Review(BaseModel):
    """The body of a PUT: see `Store.review`."""

    model_config = ConfigDict(extra="forbid")

    reviewer: str = Field(min_length=1, max_length=100)
    verdict: Verdict
    extraction: dict[str, Any] | None = None
    version: str | None = None
    seconds: float = Field(default=0.0, ge=0, le=1e6, allow_inf_nan=False)


_SCHEMA = Review.model_json_schema()
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}


def router(store: Store, schema: Mapping[str, Any] | None = None) -> APIRouter:
    """Return the routes of a store; ``schema`` names the types that reviewers may choose."""
    routes = APIRouter(prefix="/v1/review")

    @routes.get("")
    def about(reviewer: Name = "") -> dict[str, Any]:
        """Say what is under review, and how far each reviewer is."""
        return {**store.describe(store.reviewer_named(reviewer)), "schema": schema}

    @routes.get("/rows")
    def rows(
        reviewer: Name = "",
        state: State = "all",
        failed: bool = False,
        type: Annotated[str | None, Query(max_length=1000)] = None,
        text: Annotated[str, Query(max_length=1000)] = "",
        order: Order = "file",
        offset: Annotated[int, Query(ge=0, le=1 << 40)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """List rows."""
        name = store.reviewer_named(reviewer)
        return store.listed(Wanted(name, state, failed, type, text, order, offset, limit))

    @routes.get("/rows/{n}")
    def row(n: int, reviewer: Name = "") -> dict[str, Any]:
        """Return a row as a reviewer sees it."""
        name = store.reviewer_named(reviewer)
        shown: dict[str, Any] = _found(store.row, _number(n), name)
        return shown

    @routes.get("/rows/{n}/media/{kind}/{place}")
    def medium(n: int, kind: str, place: int) -> Response:
        """Return a picture, upright, or the sound or the video of a row."""
        opened = _found(store.opened, _number(n))
        made = _found(medium_of, opened.extraction, kind, place, store.results, store.access)
        return Response(made.data, media_type=made.kind)

    @routes.put("/rows/{n}", openapi_extra=_BODY)
    async def review(n: int, request: Request) -> dict[str, Any]:
        """Keep what a reviewer says of a row."""
        body = await json_of(request)

        def keep() -> dict[str, Any]:
            said = Review.model_validate(body)
            rest = said.model_dump(exclude={"reviewer", "verdict"})
            return store.review(_number(n), said.reviewer, said.verdict, **rest)

        try:
            return await asyncio.to_thread(keep)
        except StaleError as error:
            raise Problem(409, "Said otherwise meanwhile", str(error)) from None

    return routes


def _number(n: int) -> int:
    return n if 0 < n < 1 << 40 else 0  # which no row has


def _found(do: Any, *given: Any) -> Any:
    try:
        return do(*given)
    except DeixisError as error:
        raise Problem(404, "Not there", str(error)) from None

"""The server of a review: its routes and its page, in the application that all routes are in."""

from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from deixis.serving.http.app import Access, application
from deixis.serving.http.metrics import Metrics
from deixis.serving.review.routes import router
from deixis.serving.review.store import Store


def review_app(
    store: Store, access: Access | None = None, *, schema: Mapping[str, Any] | None = None
) -> ASGIApp:
    """Return an application for the review of a store.

    Args:
        store: which stays open as long as the application is used.
        access: who may ask.
        schema: a type schema as plain data, whose types reviewers may choose.
    """
    routers = [router(store, schema)]
    return application(Metrics(), access, routers=routers, index="review.html")

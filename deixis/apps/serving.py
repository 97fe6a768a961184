"""What the commands that serve have in common: offers, access, a port, and the way to the end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from deixis.apps import options, terminal, weights
from deixis.errors import MissingExtraError
from deixis.serving.offers import Offers
from deixis.serving.service import Limits, Service

try:
    from deixis.serving.http import app as application
    from deixis.serving.http import logs, running
    from deixis.serving.http.metrics import Metrics
    from deixis.serving.mcp.http import Endpoint
except ModuleNotFoundError as missing:
    raise MissingExtraError((missing.name or "fastapi").partition(".")[0], "serve") from missing


class Serving:
    """A server that is made ready, and then run until somebody ends it.

    Args:
        stacks: names and files; none is for the starter stack.
        schemas: names and files that are offered too.
        host: where it listens.
        port: 0 for a free one.
        token: what clients have to send; None where only this machine asks.
        limits: what it takes on.
        max_upload: bytes of a request.

    Raises:
        SettingsError: a stack is wrong, or others would reach it without a token.
        InputError: the port is not to be had.
    """

    def __init__(
        self,
        stacks: Sequence[str] | None,
        schemas: Sequence[str] | None,
        host: str,
        port: int,
        token: str | None,
        limits: Limits,
        max_upload: int = application.MAX_BODY,
    ) -> None:
        token = token or None
        running.check_access(host, token)
        self.settings = [options.settings_of(each, None, None) for each in stacks or ["starter"]]
        self.metrics = Metrics()
        self.service = Service(Offers(self.settings, schemas or ()), limits, self.metrics)
        self.access = application.Access(token, running.hosts_of(host, token), max_upload)
        self._listener = running.listening(host, port)
        self.host = host

    def __enter__(self) -> Self:
        """Hold the port."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let it go."""
        self._listener.close()

    def run(self, *, gold: Path | None = None) -> None:
        """Fetch what the first stack needs, and serve."""
        from deixis.serving.gold_file import GoldFile

        kept = GoldFile(gold) if gold else None
        offers = self.service.offers
        weights.fetch(offers.made(offers.default).toolbox)
        # The guard has checked Host and Origin by then.
        endpoints = {"/mcp": Endpoint(self.service, None, max_body=self.access.max_body)}
        app = application.create_app(
            self.service, self.metrics, self.access, gold=kept, endpoints=endpoints
        )
        url = running.url_of(self.host, self._listener)
        terminal.err.print(f"Deixis is at {url} (Ctrl-C ends it)", markup=False)
        logs.set_up()
        running.serve(app, self._listener, self.service)

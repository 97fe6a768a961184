"""A server that gives the files of the page and says what it is told to, with the page's policy."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAGE = Path(__file__).parents[3] / "deixis/serving/page"
KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src blob:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@contextmanager
def stand_in(extraction: dict, offers: dict) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def give(self, kind: str, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            if self.path == "/v1/graphs":
                return self.give("application/json", json.dumps(offers).encode())
            name = "index.html" if self.path == "/" else self.path.removeprefix("/page/")
            file = PAGE / name
            if not file.is_file():
                return self.send_error(404)
            return self.give(KINDS[file.suffix], file.read_bytes())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/v1/extract/stream":
                said = [("start", {"id": "1", "nodes": ["open", "recognize"]})]
                said += [
                    ("node", {"node": "open", "event": e, "seconds": 0.2, "detail": None})
                    for e in ("start", "end")
                ]
                said += [("result", extraction)]
                text = "".join(f"event: {n}\ndata: {json.dumps(d)}\n\n" for n, d in said)
                return self.give("text/event-stream", text.encode())
            return self.give(
                "application/json", json.dumps({"row": {"id": "x"}, "saved": False}).encode()
            )

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

"""The Model Context Protocol: what assistants call, over stdin and stdout or over HTTP."""

from importlib.util import find_spec

from deixis.errors import MissingExtraError

if find_spec("mcp") is None:
    raise MissingExtraError("mcp", "serve")

"""Pages that need nothing else: no file, no network; a script alone where media are played."""

import base64
import hashlib
import io
from importlib.resources import files
from typing import Any, NamedTuple

from PIL import Image


def render_page(template: str, **variables: Any) -> str:
    """Fill in a template of this folder; every text is escaped.

    Args:
        template: file name, such as ``page.html.j2``.
        variables: all that the template asks for.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only pages need it

    environment = Environment(
        loader=PackageLoader("deixis.show", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template(template).render(variables)
    # A lone surrogate could not be written to a file, and a NUL is not allowed in HTML.
    return html.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


class Script(NamedTuple):
    """A script of this folder, and the hash by which a page allows it and no other."""

    text: str
    hash: str


def script(name: str) -> Script:
    """Return a script of this folder, to stand in a page as it is."""
    text = files(__name__).joinpath(name).read_text("utf-8").strip()
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return Script(text, f"sha256-{base64.b64encode(digest).decode('ascii')}")


def data_uri(picture: Image.Image, side: int, quality: int = 85) -> str:
    """Return a picture as a JPEG inside a data URI.

    Args:
        picture: left as it is.
        side: pixels that neither side is to exceed.
        quality: of the JPEG.
    """
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=quality, subsampling=0)  # thin coloured lines need 4:4:4
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")

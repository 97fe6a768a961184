"""Visual-knowledge templates: which attributes make a type of entity recognisable by sight.

One YAML file a template (VKEL, section III-D.1). Those of the eight coarse types come with
Deixis; a file of the same name in the user's folder takes their place.
"""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from platformdirs import user_config_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from deixis.base.atomic import whole_file
from deixis.base.problems import describe_problem
from deixis.base.yaml_files import read_yaml
from deixis.errors import SettingsError
from deixis.prompts import FOLDER

_TAKEN = {"fine_type", "look"}  # what replies hold beside the attributes


def _free(name: str) -> str:
    if name in _TAKEN or hasattr(BaseModel, name):
        raise ValueError(f"{name!r} has a meaning of its own; take another name")
    return name


AttributeName = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="small letters, digits and _ alone"),
    AfterValidator(_free),
]
"""A word that can be a field of the replies asked for."""


class AskedAttribute(BaseModel):
    """One attribute: its name, how to ask for it, and its values when they are few."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: AttributeName
    ask: str = Field(min_length=1, max_length=200)
    values: tuple[str, ...] = ()


class KnowledgeTemplate(BaseModel):
    """The attributes of one type of entity; ``written_by`` names the model that wrote it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    about: str
    attributes: tuple[AskedAttribute, ...] = Field(min_length=1, max_length=12)
    written_by: str | None = None


def user_folder(folder: Path | None) -> Path:
    """Return the folder of the user's own templates."""
    return folder or user_config_path("deixis") / "templates"


def find(name: str, folder: Path | None) -> KnowledgeTemplate | None:
    """Read a template: the user's, else the one that comes with Deixis, else None.

    A file that has not changed since is not read again.

    Raises:
        SettingsError: the file has an error; the message names file and place.
    """
    for path in (user_folder(folder) / f"{name}.yaml", FOLDER / "knowledge" / f"{name}.yaml"):
        if path.is_file():
            about = path.stat()
            return _read(path, about.st_mtime_ns, about.st_size)
    return None


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int, _size: int) -> KnowledgeTemplate:
    try:
        return KnowledgeTemplate.model_validate(read_yaml(path))
    except ValidationError as error:
        problem = describe_problem(error, KnowledgeTemplate)
        raise SettingsError(f"{path}: {problem}") from None


def save(name: str, template: KnowledgeTemplate, folder: Path | None) -> Path:
    """Write a template into the user's folder, whole or not at all; return its path.

    Raises:
        SettingsError: the folder cannot be written.
    """
    target = user_folder(folder) / f"{name}.yaml"
    header = (
        f"# Written by {template.written_by}; edit it as you like, or delete it to have it\n"
        "# written again.\n"
    )
    body = yaml.safe_dump(template.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    try:
        with whole_file(target) as file:
            file.write((header + body).encode())
    except OSError as error:
        raise SettingsError(
            f"cannot write the template {target}: {error.strerror}; set options.templates in the "
            "stack to a folder that can be written"
        ) from None
    return target

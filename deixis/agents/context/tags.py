"""The tags of a recognizer, and the types of a schema that they may stand for."""

from pathlib import Path

from deixis.base.problems import nearest
from deixis.errors import ModelFileError, SettingsError
from deixis.settings import Spec
from deixis.tools.tagger.model_settings import types_in
from deixis.type_schema import TypeSchema

SHIPPED = ("PER", "LOC", "ORG", "OTHER")
"""What the shipped taggers know."""


def check_tags(recognizer: str, types: TypeSchema) -> None:
    """Check that a tagger can find a type of a schema, and that the schema names no other tag.

    A schema may be for the shipped taggers as well as for one of its own. Of a folder that cannot
    be read it is told when the tagger is loaded.

    Args:
        recognizer: spec of the tagger.
        types: the schema.

    Raises:
        SettingsError: it finds none of the types, or a tag is nobody's.
    """
    spec = Spec.parse(recognizer)
    folder = spec.name or spec.options.get("folder")
    try:
        known = types_in(Path(folder)) if folder else list(SHIPPED)
    except ModelFileError:
        return
    listed = " and ".join(filter(None, (", ".join(known[:-1]), *known[-1:])))
    for kind in types.types:
        if kind.crf and kind.crf not in (*known, *SHIPPED):
            raise SettingsError(
                f"the type schema {types.name!r} says crf: {kind.crf} of {kind.name}"
                f"{nearest(kind.crf, known)}; the recognizer {recognizer} knows {listed}"
            )
    if not any(types.of_tag(tag) for tag in known):
        raise SettingsError(
            f"the recognizer {recognizer} knows {listed}; say in the type schema {types.name!r} "
            f"which of them a type is (crf: {next(iter(known), '')}), or use a chat model"
        )

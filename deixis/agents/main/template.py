"""The templating agent: writes the visual-knowledge template of a type that has none."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from deixis.agents.context.state import Update, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.base.printable import one_line
from deixis.prompts import knowledge_templates as files
from deixis.prompts.knowledge_templates import (
    AskedAttribute,
    AttributeName,
    KnowledgeTemplate,
)
from deixis.type_schema import EntityType

FEWEST = 3
GENERIC = (
    AskedAttribute(name="appearance", ask="how it looks"),
    AskedAttribute(name="color", ask="main colour"),
)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: AttributeName
    ask: Annotated[str, Field(min_length=3, max_length=60), AfterValidator(one_line)]


class _Template(BaseModel):
    model_config = ConfigDict(extra="forbid")

    attributes: Annotated[list[_Asked], Field(min_length=FEWEST, max_length=6)]


def templates_for(types: Iterable[str], toolbox: Toolbox, update: Update) -> tuple[Update, Update]:
    """Return the templates of some types, by name, and `update` with what was asked for them."""
    templates: Update = {}
    for given in map(toolbox.types.get, dict.fromkeys(types)):
        if given.template not in templates:
            template, update = template_for(given, toolbox, update)
            templates[given.template] = template.model_dump(mode="json")
    return templates, update


def template_for(
    entity_type: EntityType, toolbox: Toolbox, update: Update
) -> tuple[KnowledgeTemplate, Update]:
    """Return a type's template, having it written and saved if there is none.

    Returns:
        The template, and `update` with what was asked for it. When the templating agent
        fails, or nobody plays it, a generic template serves this once and is not saved.
    """
    folder = toolbox.settings.options.templates
    known = files.find(entity_type.template, folder)
    if known is not None:
        return known, update
    about = entity_type.description or f"a {entity_type.name}"
    generic = KnowledgeTemplate(type=entity_type.name, about=about, attributes=GENERIC)
    if toolbox.cast.idle("templater"):
        return generic, update
    without = f"no template for {entity_type.name!r}; a generic one was used and not saved"
    spec = toolbox.settings.roles.templater
    if spec is None:
        notices = {**update.get("notices", {}), **notice("template", f"no templater and {without}")}
        return generic, {**update, "notices": notices}
    prompt = toolbox.render("template", name=entity_type.name, description=entity_type.description)
    number = len(update.get("calls", {}))  # a text may bring several new types
    reply, asked = toolbox.ask("template", "templater", spec, prompt, _Template, number)
    if reply.value is None:
        template, message = generic, without
    else:
        distinct = {asked.name: asked.ask for asked in reply.value.attributes}
        if len(distinct) < FEWEST:  # small models repeat themselves
            distinct = {generic.name: generic.ask for generic in GENERIC} | distinct
        attributes = tuple(AskedAttribute(name=name, ask=ask) for name, ask in distinct.items())
        template = KnowledgeTemplate(
            type=entity_type.name, about=about, attributes=attributes, written_by=spec
        )
        path = files.save(entity_type.template, template, folder)
        message = f"wrote a template for {entity_type.name!r}; read and edit it: {path}"
    notices = {**update.get("notices", {}), **asked["notices"], **notice("template", message)}
    calls = {**update.get("calls", {}), **asked["calls"]}
    return template, {**update, "calls": calls, "notices": notices}

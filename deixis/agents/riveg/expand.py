"""expand: have the expression of every entity written, one call each (RiVEG, section IV-B.2)."""

import re
from typing import NamedTuple

from deixis.agents.context.records import Mention
from deixis.agents.context.side_by_side import side_by_side
from deixis.agents.context.state import State, Update, caption_of, decision, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.ballot import normalise
from deixis.agents.reading.phrases import DASH
from deixis.agents.reading.plain import json_in, plain, unmarked
from deixis.agents.riveg.options import RivegOptions, Writer, writers
from deixis.base.printable import one_line
from deixis.formats.riveg import parse_expression
from deixis.llms.answers.reading import Text
from deixis.llms.structured import Reply

LONGEST = 200
"""Characters of an expression; what a talkative model writes beyond is cut off."""

TEMPLATE = ("Background:", "Text:", "Question:", "Answer:")
"""How the lines of the prompt begin; small models write them again."""
SENTENCE = re.compile(r"(?<=[a-z]{3})[.!]\s+(?=[A-Z])")
"""Where a sentence ends, and not an abbreviation."""
IN_TEXT = r",? in (?:the|this) (?:given )?(?:text|context|post|sentence|tweet)"
FRAME = rf"(?:(?:based on|given)[^,]{{0,60}},\s*|{IN_TEXT.removeprefix(',? ')},?\s*)?"
IS = rf"(?:{IN_TEXT})?,?(?:\s+(?:is|was|are|were|refers to|stands for|means)\b|\s*[:=–—]|\s+-\s)"  # noqa: RUF001
"""What stands between a name and what it is."""


class _Task(NamedTuple):
    seat: int
    version: int
    writer: Writer
    entity: str
    mention: Mention


def expand(state: State, toolbox: Toolbox) -> Update:
    """Ask what each entity is; ``Name (Type) – what it is`` is its referring expression.

    With ``expression_input`` it is a part of that, and nothing is asked for the name alone.
    With augmentation every member of the committee is asked as well, and a decision
    ``expression 2``, ``expression 3``, ... tells what it wrote.
    """  # noqa: RUF002 (the dash of the paper)
    mentions = list(state["mentions"].items())
    wanted = toolbox.graph_options(RivegOptions).expression_input
    if wanted in ("name", "name_type"):
        return {"expressions": {entity: _named(own, wanted) for entity, own in mentions}}
    tasks = [
        _Task(version * len(mentions) + place, version, writer, *each)
        for version, writer in enumerate(writers(toolbox))
        for place, each in enumerate(mentions)
    ]
    if not tasks:
        return {}

    def ask(task: _Task) -> Update:
        role, spec, sample = task.writer
        prompt = toolbox.render(
            "riveg/expand",
            caption=caption_of(state),
            text=state["text"],
            name=task.mention["text"],
        )
        reply, update = toolbox.ask("expand", role, spec, prompt, Text, task.seat, sample)
        return joined(update, _written(task, reply, list(update["calls"]), toolbox))

    return joined(*side_by_side(ask, tasks))


def _written(task: _Task, reply: Reply[Text], replies: list[str], toolbox: Toolbox) -> Update:
    """Return the expression that an answer makes; the expander's is the entity's own."""
    name, kind = task.mention["text"], task.mention["type"]
    phrase = phrase_in(reply.value.text, name) if reply.value else ""
    reason = f"no expression ({reply.status})"
    if phrase and normalise(phrase) == normalise(name):
        phrase, reason = "", "the expression only repeats the name"
    subject = f"expression {task.version + 1}" if task.version else "expression"
    evidence, description = [] if phrase else [reason], phrase
    if not phrase and task.version == 0:
        description = toolbox.types.get(kind).description or kind
        evidence = [f"{reason}; the type's description serves"]
    expression = f"{name} ({kind}){DASH}{description}" if description else None
    decisions = decision(
        task.entity,
        "expand",
        subject,
        expression,
        model=task.writer.spec if phrase or task.version else None,
        evidence=evidence,
        replies=replies,
    )
    part = toolbox.graph_options(RivegOptions).expression_input == "expression"
    own = {} if task.version else {task.entity: description if part else expression}
    return {"expressions": own, "decisions": decisions}


def _named(mention: Mention, wanted: str) -> str:
    name = one_line(mention["text"])
    return f"{name} ({mention['type']})" if wanted == "name_type" else name


def phrase_in(answer: str, name: str) -> str:
    """Return the first sentence of an answer as a phrase that has neither the name nor a frame.

    The template goes if the model repeats it, and so do *Sure!*, *A:*, and *X is* of *X is a
    singer*: a detector that looked for the name, too, would look for something else.
    """
    if answer.lstrip().startswith(TEMPLATE):
        answer = answer.partition(TEMPLATE[-1])[2]
    told = json_in(answer)
    if isinstance(told, dict):
        answer = next((each for each in told.values() if isinstance(each, str)), "")
    lines = (unmarked(one_line(line)) for line in plain(answer).splitlines())
    line = next((line for line in lines if line), "")
    written = parse_expression(line)
    if written and normalise(written.text) == normalise(name):
        line = written.expression
    line = SENTENCE.split(line, maxsplit=1)[0]
    own = rf"[\"'“‘*]*(?:the )?{re.escape(one_line(name))}[\"'”’*]*"  # noqa: RUF001
    line = re.sub(rf"^{FRAME}(?:(?:{own}|it|he|she|this|that){IS}\s*)?", "", line, flags=re.I)
    line = re.sub(rf",? (?:named|called|known as) {own}(?!\w)", "", line, flags=re.I)
    line = unmarked(re.sub(rf"(?<=\w){IN_TEXT}[.\s]*$", "", line, flags=re.I)).removesuffix(".")
    return line if len(line) <= LONGEST else line[:LONGEST].rpartition(" ")[0]

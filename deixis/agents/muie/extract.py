"""extract: one model names entities, relations and events, and says where they may be.

Each task is a question of its own, with the prompt of appendix A in the paper's style, and they are
asked at once. What a reply names is looked for in the text and in what was heard; what stands in
neither may be seen or heard. A label that the type schema has not is a notice.
"""

from collections.abc import Sequence
from typing import Any

from deixis.agents.context.media_records import Medium
from deixis.agents.context.side_by_side import side_by_side
from deixis.agents.context.state import State, Update, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.muie.entities import STEP, Answered, Entities
from deixis.agents.muie.links import Links
from deixis.agents.muie.meta_response import read_meta_response
from deixis.agents.muie.naming import Source
from deixis.agents.muie.options import MuieOptions
from deixis.agents.muie.sample import Shown, media_given, shown_to
from deixis.agents.muie.structured import answer_for, read_object
from deixis.agents.reading.given import given_mentions, listed, named_as_given
from deixis.agents.reading.tasks import KNOWN, TASKS, MuieTask
from deixis.llms import registry as llms
from deixis.llms.answers.reading import Text
from deixis.llms.structured import Reply
from deixis.type_schema import TypeSchema

Asked = tuple[MuieTask, Reply[Any], Update]
"""A task, what came of the question about it, and what that cost."""


def extract(state: State, toolbox: Toolbox) -> Update:
    """Ask the ``vlm`` for each task of the sample and bring together what it says.

    A task whose labels the type schema lacks is not asked for, which is a notice; so is a reply
    that was refused, cut off or cannot be read, and the others count. Where a server takes no
    sound or no video after all, the model is asked again, with the transcript and frames.
    """
    spec, media = toolbox.model("vlm"), media_given(state)
    tasks, notices = _answerable(state["notes"][TASKS], toolbox.types)
    asked: list[Asked] = []
    told: list[Update] = [{"notices": notices}]
    left, seat = tasks, 0
    while left:  # again where the server has just refused sound, and where then video
        sample = shown_to(spec, state, toolbox)
        now = _ask_all(left, spec, sample, state, toolbox, seat)
        asked += now
        told += [{"notices": sample.notices}, *(update for _, _, update in now)]
        unanswered = [task for task, reply, _ in now if reply.value is None]
        left = unanswered if _refused(spec, sample) else []
        seat += len(KNOWN)
    answers = [
        Answered(_said(task, reply.value, media, toolbox), list(update["calls"]))
        for task, reply, update in sorted(asked, key=lambda own: KNOWN.index(own[0]))
        if reply.value is not None
    ]
    entities = Entities(
        Source(state["text"], state.get("heard")), media, spec, _given(state, toolbox)
    )
    entities.take(answers)
    links = Links(entities, toolbox.types)
    links.take(answers)
    return joined(*told, entities.update, links.update)


def _given(state: State, toolbox: Toolbox) -> Update | None:
    """Return the mentions that the user gave, as a recognizer would name them; None without."""
    known = given_mentions(state)
    return None if known is None else named_as_given(known, state["text"], STEP, toolbox)


def _refused(spec: str, sample: Shown) -> bool:
    """Whether the server has just said that the model does not take what it was sent."""
    heard = sample.recording is not None and not llms.hears(spec)
    return heard or (sample.clip is not None and not llms.watches(spec))


def _ask_all(
    tasks: Sequence[MuieTask],
    spec: str,
    sample: Shown,
    state: State,
    toolbox: Toolbox,
    seat: int,
) -> list[Asked]:
    """Ask for all tasks at once; `seat` is that of the first task that is known."""

    def ask(task: MuieTask) -> Asked:
        return task, *_ask(task, spec, sample, state, toolbox, seat)

    return side_by_side(ask, tasks, most=len(tasks))


def _answerable(tasks: Sequence[MuieTask], types: TypeSchema) -> tuple[list[MuieTask], Update]:
    """Return the tasks that the schema has labels for, and notices of the others."""
    lacks = {"re": ("relations", types.relations), "ee": ("events", types.events)}
    notices: Update = {}
    for task in tasks:
        what, labels = lacks.get(task, ("", (task,)))
        if not labels:
            message = f"the type schema {types.name!r} has no {what}; none were asked for"
            notices |= notice(STEP, message)
    return [task for task in tasks if task not in lacks or lacks[task][1]], notices


def _ask(
    task: MuieTask, spec: str, sample: Shown, state: State, toolbox: Toolbox, seat: int
) -> tuple[Reply[Any], Update]:
    types = toolbox.types
    paper = toolbox.graph_options(MuieOptions).style == "paper"
    more: dict[str, Any] = {} if paper else {"unseen": sample.unseen}
    if paper and task == "ee":
        more["roles"] = list(dict.fromkeys(role for kind in types.events for role in kind.roles))
    prompt = toolbox.render(
        f"muie/{task}_paper" if paper else f"muie/{task}",
        labels=_labels(task, types),
        media=list(sample.media),
        shown=sample.times,
        audio=sample.recording is not None,
        video=sample.clip is not None,
        text=state["text"],
        mentions=listed(given_mentions(state)),
        transcript=sample.transcript,
        **more,
    )
    answer = Text if paper else answer_for(task, types, sample.media)
    seat += KNOWN.index(task)
    return toolbox.ask(STEP, "vlm", spec, prompt, answer, seat, images=sample.sent)


def _labels(task: MuieTask, types: TypeSchema) -> list[dict[str, Any]]:
    """Return what a prompt says of the labels of a task; of types with fine types, the fine."""
    if task == "ner":
        return [
            {"names": list(kind.fine_types or [kind.name]), "description": kind.description}
            for kind in types.types
        ]
    labels = types.relations if task == "re" else types.events
    return [label.model_dump() for label in labels]


def _said(task: MuieTask, value: Any, media: Sequence[Medium], toolbox: Toolbox) -> Any:
    if isinstance(value, Text):
        return read_meta_response(value.text, task, media, toolbox.types)
    return read_object(value, media, toolbox.types)

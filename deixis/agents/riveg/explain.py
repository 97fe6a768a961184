"""explain: have auxiliary refined knowledge written (RiVEG, section IV-B.1c)."""

from deixis.agents.context.side_by_side import side_by_side
from deixis.agents.context.state import State, Update, caption_of, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.riveg.options import Writer, explains, writers
from deixis.llms.answers.reading import Text
from deixis.llms.structured import Reply


def explain(state: State, toolbox: Toolbox) -> Update:
    """Ask which entities there are and why, after examples of such answers.

    The expander's answer becomes the note ``knowledge``, if it gave one. With augmentation the
    members of the committee answer as well; the result has it all among its replies.
    """
    if not explains(state, toolbox):
        return {}
    asked = writers(toolbox)
    prompt = toolbox.render(
        "riveg/explain",
        types=toolbox.types.types,
        examples=state["notes"].get("examples", []),
        caption=caption_of(state),
        text=state["text"],
    )

    def ask(seat: int, writer: Writer) -> tuple[Reply[Text], Update]:
        role, spec, sample = writer
        return toolbox.ask("explain", role, spec, prompt, Text, seat, sample)

    answers = side_by_side(ask, range(len(asked)), asked, most=len(asked))
    reply, calls = answers[0][0], answers[0][1]["calls"]
    update = joined(*(accounted for _, accounted in answers))
    if reply.value is None:
        return update
    known = {"knowledge": reply.value.text, "knowledge_replies": list(calls)}
    return {**update, "notes": known}

"""What a scripted model says of Ann Lee, who joined Acme, in both styles and of every task."""

from typing import Any

from deixis.testing import Question

TEXT, SPEECH = "Ann Lee joined Acme.", "ann lee joined acme"


def structured(question: Question) -> Any:
    if question.system.startswith("You point"):
        assert question.schema is not None
        return {name: [0, 0, 500, 500] for name in question.schema["properties"]}
    assert question.schema is not None
    fields = question.schema["$defs"]["NamedEntity"]["properties"]
    media = {medium: "the woman" for medium in ("image", "video", "audio") if medium in fields}
    acme = {**dict.fromkeys(media), "name": "Acme"}
    entities = [{**media, "name": "Ann Lee"}, acme]
    if question.system.startswith("You extract the entities"):
        return {"entities": [{**own, "type": "PER"} for own in entities]}
    if question.system.startswith("You extract the relations"):
        link = {"subject": "Ann Lee", "type": "PER-SOC:Business", "object": "Acme"}
        return {"entities": entities, "relations": [link]}
    argument = {"role": "Person", "name": "Ann Lee"}
    event = {"type": "Start-Position", "trigger": "joined", "arguments": [argument]}
    return {"entities": entities[:1], "events": [event]}


def paper(question: Question) -> Any:
    if question.schema is not None:
        return structured(question)
    modules = {"Image Segmenter", "Video Tracker", "Audio Segmenter"}
    calls = [f"<Module>{own} <Instruction>the woman" for own in modules if own in question.system]
    items = "(Ann Lee<concept>, PER)(Acme, PER)"
    if "Extract all relations" in question.system:
        items = "(Ann Lee<concept>, PER-SOC:Business, Acme)"
    elif "Extract all events" in question.system:
        items = "(joined, Start-Position, Person: Ann Lee<concept>)"
    return f"<UIE> {items} {' '.join(calls)}"

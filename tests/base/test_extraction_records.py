import pytest
from pydantic import ValidationError

from deixis.schema import (
    Argument,
    AudioInfo,
    Entity,
    Event,
    Extraction,
    Frame,
    ImageInfo,
    Region,
    Relation,
    Span,
    SpokenWord,
    Transcript,
    Trigger,
    VideoInfo,
)

IMAGE = ImageInfo(sha256="a", width=100, height=80, source="bytes")
OTHER = ImageInfo(sha256="b", width=50, height=40, source="bytes")
AUDIO = AudioInfo(sha256="c", seconds=3.0, rate=8000, channels=1, source="a.wav")
VIDEO = VideoInfo(
    sha256="d", seconds=2.0, width=64, height=48, frames=20, rate=10, sound=False, source="v.mp4"
)


def region(x2: float = 20, image: int = 0) -> Region:
    return Region(box=(0, 0, x2, 20), score=0.5, source="t", image=image)


def entity(id_: str = "e1", **changes: object) -> Entity:
    fields = {"id": id_, "text": "Ada", "start": None, "end": None, "type": "PER"}
    return Entity.model_validate({**fields, "confidence": 0.9, **changes})


def extraction(*entities: Entity, **changes: object) -> Extraction:
    fields: dict[str, object] = {"text": "", "image": None, "entities": list(entities)}
    return Extraction.model_validate({**fields, **changes})


def everything() -> Extraction:
    span = Span(start=0.5, end=1.0, score=0.8, source="whisper")
    seen = entity(groundable=True, regions=[region(), region(image=1)])
    heard = entity("e2", groundable=True, spans=[span])
    followed = entity("e3", groundable=True, track=[Frame(time=0.1, index=1, region=region())])
    word = SpokenWord(text="Ada", start=0.5, end=1.0, score=0.8)
    met = Event(
        id="v1",
        type="Meet",
        trigger=Trigger(text="met", spans=[span]),
        arguments=[Argument(role="Entity", entity="e1", confidence=0.5)],
        confidence=0.7,
    )
    return extraction(
        seen,
        heard,
        followed,
        image=IMAGE,
        images=[IMAGE, OTHER],
        audio=AUDIO,
        video=VIDEO,
        transcript=Transcript(words=[word], source="whisper", language="en"),
        relations=[Relation(id="r1", subject="e1", type="peer", object="e2", confidence=0.6)],
        events=[met],
    )


def test_a_result_of_all_media_round_trips() -> None:
    whole = everything()
    assert Extraction.model_validate_json(whole.model_dump_json()) == whole
    assert whole.transcript is not None and whole.transcript.text == "Ada"


def test_what_only_other_media_bring_is_left_out_while_it_is_empty() -> None:
    plain = extraction(entity(groundable=True, regions=[region()]), image=IMAGE).model_dump()
    new = {"images", "audio", "video", "transcript", "relations", "events"}
    assert not new & plain.keys()
    assert not {"spans", "track"} & plain["entities"][0].keys()
    assert "image" not in plain["entities"][0]["regions"][0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": [OTHER, IMAGE]}, "image is not the first of images"),
        ({"audio": None}, "there is no sound"),
        ({"video": None}, "there is no video"),
        ({"image": None, "images": []}, "there is no picture"),
        ({"images": []}, "a region in picture 1, and there are 1"),
        ({"entities": [entity("e1"), entity("e1")]}, "an id stands twice"),
        ({"entities": [entity("e1")]}, "'e2', which is not there"),
        ({"entities": [entity("e2")]}, "'e1', which is not there"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object], said: str) -> None:
    whole = {name: getattr(everything(), name) for name in Extraction.model_fields}
    with pytest.raises(ValidationError, match=said):
        Extraction.model_validate({**whole, **changes})


def test_a_frame_outside_the_video_is_refused() -> None:
    beyond = entity(groundable=True, track=[Frame(time=0, index=0, region=region(x2=65))])
    with pytest.raises(ValidationError, match="leaves the video"):
        extraction(beyond, video=VIDEO)


@pytest.mark.parametrize(
    "changes",
    [
        {"start": 0},
        {"end": 3},
        {"start": 0, "end": 2},
        {"text": ""},
        {"groundable": True},
        {"spans": [Span(start=0, end=1, score=1, source="t")]},
    ],
)
def test_half_an_entity_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        entity(**changes)


@pytest.mark.parametrize(("start", "end"), [(1.0, 1.0), (2.0, 1.0), (-1.0, 1.0)])
def test_a_span_takes_time(start: float, end: float) -> None:
    with pytest.raises(ValidationError):
        Span(start=start, end=end, score=1, source="t")


def test_the_sound_of_a_video_may_have_spans() -> None:
    heard = entity(groundable=True, spans=[Span(start=0, end=1, score=1, source="t")])
    with pytest.raises(ValidationError, match="there is no sound"):
        extraction(heard, video=VIDEO)
    assert extraction(heard, video=VIDEO.model_copy(update={"sound": True})).entities == [heard]

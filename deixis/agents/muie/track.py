"""track: find what is sought in the video, and follow it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from deixis.agents.context.media_records import Look, PlacedFrame
from deixis.agents.context.state import State, Update, decision, joined, notice
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.assignment import assign
from deixis.agents.muie.following import Followed, Follower
from deixis.agents.muie.label_names import labels_meant, mention_of
from deixis.agents.muie.options import MuieOptions
from deixis.agents.muie.paths import Path
from deixis.agents.observe import looked_for
from deixis.agents.reading.sought import sought_in
from deixis.base.video import OpenedVideo
from deixis.errors import InputError

_CERTAIN = 2
"""Key frames in which something has to be seen to be named by what it is alone."""


class _Found(NamedTuple):
    """The paths of one entity, and how likely they are its."""

    paths: list[Path]
    confidence: float
    evidence: list[str]


def track(state: State, toolbox: Toolbox) -> Update:
    """Give what is sought in the video its track: one thing to each, and each thing to one.

    It is looked for in key frames, and followed both ways between them; where nobody plays the
    tracker, it has its places in key frames alone.
    """
    phrases = sought_in(state, "video")
    unasked = _never_asked(state)
    if not phrases:
        return unasked
    detector = toolbox.detector
    try:
        video = toolbox.video(state)
    except InputError as error:
        return joined(unasked, _unopened(phrases, error))
    if detector is None or video is None:
        said = "no video was given" if video is None else "nobody plays the detector"
        return joined(unasked, _unlooked(phrases, "off", f"not looked for in the video: {said}"))
    meant = {
        entity: labels_meant(state, entity, phrase, toolbox) for entity, phrase in phrases.items()
    }
    nameless = {entity: phrase for entity, phrase in phrases.items() if not meant[entity]}
    update = joined(
        unasked,
        _unlooked(nameless, "off", f"{detector.name} has no label for what is sought"),
    )
    wanted = {entity: labels for entity, labels in meant.items() if labels}
    if not wanted:
        return update
    labels = list(dict.fromkeys(label for own in wanted.values() for label in sorted(own)))
    try:
        followed = _followed(video, labels, toolbox)
    except InputError as error:
        return joined(update, _unopened({entity: phrases[entity] for entity in wanted}, error))
    return joined(
        update, _placed(followed, wanted, phrases, toolbox), _notices(followed, "track", toolbox)
    )


def found_things(state: State, toolbox: Toolbox, first: int = 1) -> Update:
    """Name what the detector sees in the video by its labels, each thing that was followed once.

    Args:
        state: of a sample whose media name nothing.
        toolbox: its detector is asked for all that it looks for in a picture.
        first: number of the first entity.
    """
    try:
        video = toolbox.video(state)
        if video is None or toolbox.detector is None:
            return {}
        followed = _followed(video, looked_for(toolbox), toolbox)
    except InputError as error:
        return {"notices": notice("names", f"the video was not looked at: {error}")}
    least = min(_CERTAIN, followed.looked)
    paths = [path for path in followed.paths if path.sightings >= least]
    updates = [_notices(followed, "names", toolbox)]
    for number, path in enumerate(paths, start=first):
        label = max(path.seen, key=lambda name: path.seen[name])
        confidence = path.seen[label] / path.sightings
        seen = f"the detector sees a {label} in {path.sightings} of {followed.looked} key frames"
        entity = f"e{number}"
        updates.append({"mentions": {entity: mention_of(label, confidence, toolbox)}})
        updates.append(_tracked(entity, _Found([path], confidence, [seen]), "names", toolbox))
    return joined(*updates)


def _followed(video: OpenedVideo, labels: Sequence[str], toolbox: Toolbox) -> Followed:
    detector, options = toolbox.detector, toolbox.graph_options(MuieOptions)
    assert detector is not None, "asked without a detector"
    follower = Follower(
        lambda picture: detector.detect(picture, labels),
        toolbox.tracker,
        rate=options.track_rate,
        key_seconds=options.key_seconds,
        most=options.max_tracks,
    )
    return follower.follow(video)


def _placed(
    followed: Followed,
    wanted: Mapping[str, frozenset[str]],
    phrases: Mapping[str, str],
    toolbox: Toolbox,
) -> Update:
    """Give each entity the path that is called like it most; one that is nobody's stays so."""
    entities, paths = list(wanted), followed.paths
    scores = np.array(
        [
            [max(path.seen.get(label, 0.0) for label in wanted[entity]) for path in paths]
            for entity in entities
        ]
    ).reshape(len(entities), len(paths))
    frames = [set(path.places) for path in paths]
    clash = np.array([[bool(one & other) for other in frames] for one in frames])
    by_phrase = toolbox.detector is not None and toolbox.detector.labels is None
    several = np.full(scores.shape, by_phrase)  # who is gone and comes back; a label is anyone's
    given = assign(scores, several, clash.reshape(len(paths), len(paths)))
    updates = []
    for row, (entity, columns) in enumerate(zip(entities, given, strict=True)):
        if columns:
            own = [paths[column] for column in columns]
            rivals = np.flatnonzero(scores[row] > 0).size
            share = 1.0 if by_phrase else float(scores[row, columns].sum() / scores[row].sum())
            sure = scores[row, columns].sum() / sum(path.sightings for path in own)
            seen = sum(path.sightings for path in own)
            evidence = [f"{phrases[entity]!r} is seen in {seen} of {followed.looked} key frames"]
            if share < 1.0:
                names = " or ".join(sorted(wanted[entity]))
                evidence.append(f"it is one of {rivals} things that are called {names}")
            found = _Found(own, share * float(sure), evidence)
            updates.append(_tracked(entity, found, "track", toolbox))
        else:
            updates.append(_missing(entity, phrases[entity], scores[row].any(), followed, toolbox))
    return joined(*updates)


def _tracked(entity: str, found: _Found, step: str, toolbox: Toolbox) -> Update:
    roles = toolbox.settings.roles
    detector, tracker = roles.detector or "", roles.tracker or ""
    film = {index: own for path in found.paths for index, own in path.places.items()}
    frames = [
        PlacedFrame(
            time=place.time,
            index=index,
            region={
                "box": list(place.box),
                "mask": place.mask.model_dump(mode="json") if place.mask else None,
                "score": place.score,
                "source": tracker if place.tracked else detector,
            },
        )
        for index, place in sorted(film.items())
    ]
    outcome = f"{len(frames)} frames from {frames[0]['time']:.1f} s to {frames[-1]['time']:.1f} s"
    return {
        "tracks": {entity: frames},
        "looks": {f"{entity}/video": "found"},
        "decisions": decision(
            entity,
            step,
            "track",
            outcome,
            model=detector,
            confidence=min(found.confidence, 1.0),
            evidence=found.evidence,
        ),
    }


def _missing(entity: str, phrase: str, seen: bool, followed: Followed, toolbox: Toolbox) -> Update:
    """Say why an entity has no track."""
    if not followed.looked:
        return _unlooked({entity: phrase}, "failed", "; ".join(followed.failures))
    said = f"nothing in {followed.looked} key frames is called {phrase!r}"
    if seen:
        said = f"all that is called {phrase!r} in the video is another entity"
    outcome = decision(
        entity,
        "track",
        "track",
        "none",
        model=toolbox.settings.roles.detector,
        evidence=[f"asked for in the video, and not there (over-grounding): {said}"],
    )
    return {"looks": {f"{entity}/video": "absent"}, "decisions": outcome}


def _unopened(phrases: Mapping[str, str], error: InputError) -> Update:
    """Say that the video cannot be looked at, of all that is sought there."""
    said = f"the video was not looked at: {error}"
    return joined(_unlooked(phrases, "failed", said), {"notices": notice("track", said)})


def _unlooked(phrases: Mapping[str, str], look: Look, said: str) -> Update:
    """Say that entities were not looked for."""
    updates: list[Update] = [
        {
            "looks": {f"{entity}/video": look},
            "decisions": decision(entity, "track", "track", None, evidence=[f"{phrase!r}: {said}"]),
        }
        for entity, phrase in phrases.items()
    ]
    return joined(*updates)


def _never_asked(state: State) -> Update:
    """Say of which entities nobody asked in any medium, where there is a video to look at."""
    if state.get("film") is None:
        return {}
    said = "it was marked, but never asked for in any medium (missing grounding)"
    sought = state.get("sought", {})
    looked = {look.partition("/")[0] for look in state.get("looks", {})}
    unasked = [
        entity
        for entity in state.get("mentions", {})
        if not sought.get(entity) and entity not in looked
    ]
    return joined(
        *({"decisions": decision(own, "track", "track", None, evidence=[said])} for own in unasked)
    )


def _notices(followed: Followed, step: str, toolbox: Toolbox) -> Update:
    most = toolbox.graph_options(MuieOptions).max_tracks
    said = list(followed.failures)
    if followed.cut:
        said.append(f"more than {most} things were seen; those beyond max_tracks are left out")
    return joined(*({"notices": notice(step, line)} for line in said))

"""A small drawing of relations and events: entities and events as nodes, and labelled arrows.

Only where things stand is found here; the pages' templates make SVG of it.
"""

import unicodedata
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from deixis.base.extraction_records import ExtractionRecord

MOST_NODES = 24  # more cannot be read as a drawing; the tables have them all
_SIZE = 14  # of the type, in pixels
_LONGEST = 26  # letters of a name
_GAP = 30.0, 24.0  # pixels between two nodes, across or down, at least
_ROOM = 50.0, 60.0  # the same where an arrow is between them, beside its words
_STEP = 190.0, 130.0  # pixels between neighbours, across and down
_BENDS = 0.0, 45.0, -45.0, 90.0, -90.0, 135.0, -135.0  # pixels beside the straight way
_MARGIN = np.array([12.0, 36.0])  # around all; a loop needs it above
_TRIES = 12  # starts, of which the layout with the fewest crossings is kept
_Points = NDArray[np.float64]


class Node(NamedTuple):
    """An entity (its number in the list, from 0) or an event (None) and the middle of its box."""

    words: str
    note: str
    entity: int | None
    x: float
    y: float
    wide: float
    tall: float


class Arrow(NamedTuple):
    """An arrow as an SVG path, with the middle and the width of its words."""

    path: str
    words: str
    x: float
    y: float
    wide: float


class Drawing(NamedTuple):
    """Where everything stands, in pixels."""

    width: float
    height: float
    nodes: list[Node]
    arrows: list[Arrow]


def drawing(extraction: "ExtractionRecord") -> Drawing | None:
    """Lay out relations and events, the same each time.

    Entities that are in none, and events of nobody, are left out.

    Returns:
        The drawing; None where there is nothing to draw, or more than can be read.
    """
    names: dict[str, Node] = {}
    entities = {entity.id: (i, entity) for i, entity in enumerate(extraction.entities)}
    links: dict[tuple[str, str], list[str]] = {}
    for relation in extraction.relations:
        links.setdefault((relation.subject, relation.object), []).append(relation.type)
    for event in (each for each in extraction.events if each.arguments):
        words = event.trigger.text if event.trigger else ""
        names[f"event {event.id}"] = _node(event.type, words, None)
        for part in event.arguments:
            links.setdefault((f"event {event.id}", part.entity), []).append(part.role)
    for id_ in dict.fromkeys(end for ends in links for end in ends):
        if id_ in entities:
            number, entity = entities[id_]
            names[id_] = _node(f"{number + 1} {entity.text}", entity.type, number)
    if not links or len(names) > MOST_NODES:
        return None
    order = list(names)
    edges = {
        (order.index(one), order.index(other)): _shortened(", ".join(dict.fromkeys(words)))
        for (one, other), words in links.items()
        if one in names and other in names
    }
    return _placed(list(names.values()), edges)


def _node(words: str, note: str, entity: int | None) -> Node:
    words, note = _shortened(words), _shortened(note)
    wide = max(1.05 * _length(words), 0.85 * _length(note)) + 24
    return Node(words, note, entity, 0.0, 0.0, max(wide, 60.0), 44.0 if note else 30.0)


def _shortened(words: str) -> str:
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1].rstrip() + "…"


def _length(words: str) -> float:
    """Return about how many pixels words take in any common font."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in words)
    return _SIZE * (0.6 * (len(words) - wide) + wide)


def _placed(nodes: Sequence[Node], edges: dict[tuple[int, int], str]) -> Drawing:
    sizes = np.array([(node.wide, node.tall) for node in nodes])
    gaps = np.tile(_GAP, (len(nodes), len(nodes), 1))
    for (one, other), words in edges.items():
        gaps[min(one, other), max(one, other)] = _ROOM[0] + _length(words), _ROOM[1]
    middles = _apart(_layout(len(nodes), list(edges)) * _STEP, sizes, gaps)
    corners = np.vstack([middles - sizes / 2, middles + sizes / 2])
    low, high = corners.min(axis=0) - _MARGIN, corners.max(axis=0) + _MARGIN
    middles -= low
    placed = [
        node._replace(x=float(x), y=float(y)) for node, (x, y) in zip(nodes, middles, strict=True)
    ]
    width, height = (high - low).tolist()
    return Drawing(width, height, placed, _arrows(placed, edges, width))


def _layout(count: int, edges: Sequence[tuple[int, int]]) -> _Points:
    """Return places whose distances are close to the numbers of arrows between the nodes.

    Stress majorization (Gansner, Koren and North 2004, equation 7) from several starts.
    """
    from scipy.sparse.csgraph import shortest_path

    if count == 1:
        return np.zeros((1, 2))
    joined = np.zeros((count, count))
    for one, other in edges:
        joined[one, other] = joined[other, one] = float(one != other)
    steps = shortest_path(joined, unweighted=True)
    steps[~np.isfinite(steps)] = 2.0
    weights = 1 / np.where(steps > 0, steps, 1) ** 2
    np.fill_diagonal(weights, 0)
    inverse = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
    chance = np.random.default_rng(0)
    best, least = np.zeros((count, 2)), (np.inf, np.inf)
    for _ in range(_TRIES):
        points = chance.normal(size=(count, 2))
        for _ in range(100):
            apart = np.linalg.norm(points[:, None] - points[None], axis=2)
            pull = weights * steps / np.where(apart > 1e-9, apart, np.inf)
            points = inverse @ ((np.diag(pull.sum(axis=1)) - pull) @ points)
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        cost = _crossings(points, edges), float((weights * (apart - steps) ** 2).sum())
        if (cost[0], round(cost[1], 6)) < least:
            best, least = points, (cost[0], round(cost[1], 6))
    # The longest way lies across the page.
    turned: _Points = best @ np.linalg.svd(best - best.mean(axis=0))[2].T
    return turned


def _crossings(points: _Points, edges: Sequence[tuple[int, int]]) -> int:
    def side(one: int, other: int, third: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = points[[one, other, third]]
        return float((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))

    return sum(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for (a, b), (c, d) in combinations(edges, 2)
        if len({a, b, c, d}) == 4
    )


def _apart(middles: _Points, sizes: _Points, gaps: _Points) -> _Points:
    """Move boxes away from each other that are nearer than their gap, along the shorter way."""
    middles = middles.copy()
    for _ in range(200):
        moved = False
        for one, other in combinations(range(len(middles)), 2):
            away = middles[other] - middles[one]
            room = (sizes[one] + sizes[other]) / 2 + gaps[one, other] - np.abs(away)
            if (room > 0.5).all():
                axis = int(room.argmin())
                push = room[axis] / 2 * (1.0 if away[axis] >= 0 else -1.0)
                middles[one, axis] -= push
                middles[other, axis] += push
                moved = True
        if not moved:
            break
    return middles


def _arrows(nodes: Sequence[Node], edges: dict[tuple[int, int], str], width: float) -> list[Arrow]:
    taken = [(node.x, node.y, node.wide, node.tall) for node in nodes]
    arrows = []
    for (one, other), words in edges.items():
        start, end = nodes[one], nodes[other]
        wide = 0.9 * _length(words) + 8
        if one == other:
            path, spots = _loop(start)
        else:
            others = [node for node in nodes if node is not start and node is not end]
            bends = (34.0, 68.0, 102.0) if (other, one) in edges else _BENDS
            curves = (_curve(start, end, bend) for bend in bends)
            path, spots = min(curves, key=lambda curve: _through(curve[1], others))
        inside = [(min(max(x, wide / 2), width - wide / 2), y) for x, y in spots]
        x, y = min(inside, key=lambda spot: _covered((*spot, wide, 20.0), taken))
        taken.append((x, y, wide, 20.0))
        arrows.append(Arrow(path, words, x, y, wide))
    return arrows


def _loop(node: Node) -> tuple[str, list[tuple[float, float]]]:
    left, right, top = node.x - 16, node.x + 16, node.y - node.tall / 2
    high = top - 40
    return f"M{left:.1f} {top:.1f}C{left:.1f} {high:.1f} {right:.1f} {high:.1f} " + (
        f"{right:.1f} {top - 3:.1f}"
    ), [(node.x, top - 30)]


def _curve(start: Node, end: Node, bend: float) -> tuple[str, list[tuple[float, float]]]:
    """Return a path from rim to rim, and places on it for words, the best first."""
    one, other = np.array([start.x, start.y]), np.array([end.x, end.y])
    along = (other - one) / np.linalg.norm(other - one)
    middle = (one + other) / 2 + bend * np.array([-along[1], along[0]])
    a, b = _rim(start, middle, 0.0), _rim(end, middle, 4.0)
    path = f"M{a[0]:.1f} {a[1]:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {b[0]:.1f} {b[1]:.1f}"
    spots = []
    for t in (0.5, 0.42, 0.58, 0.34, 0.66, 0.25, 0.75, 0.16, 0.84):
        x, y = (1 - t) ** 2 * a + 2 * t * (1 - t) * middle + t**2 * b
        spots.append((float(x), float(y)))
    return path, spots


def _through(spots: Sequence[tuple[float, float]], nodes: Sequence[Node]) -> int:
    """Return how many places of a curve lie in nodes."""
    return sum(
        abs(x - node.x) < node.wide / 2 + 6 and abs(y - node.y) < node.tall / 2 + 6
        for x, y in spots
        for node in nodes
    )


def _rim(node: Node, towards: _Points, gap: float) -> _Points:
    """Return where a line from the middle of a node leaves its box."""
    middle = np.array([node.x, node.y])
    away = towards - middle
    half = np.array([node.wide, node.tall]) / 2 + gap
    share = (half / np.maximum(np.abs(away), 1e-9)).min()
    rim: _Points = middle + away * min(share, 1.0)
    return rim


def _covered(
    spot: tuple[float, float, float, float], taken: Sequence[tuple[float, float, float, float]]
) -> float:
    """Return how many square pixels of others a box (middle and size) covers."""
    x, y, wide, tall = spot
    return sum(
        max(0.0, (wide + w) / 2 - abs(x - left)) * max(0.0, (tall + h) / 2 - abs(y - top))
        for left, top, w, h in taken
    )

"""Items as RDF: what JSON-LD and Turtle both write, node by node.

A post is a ``schema:SocialMediaPosting`` and the context of its mentions (NIF). A mention is an
annotation (Web Annotation): its body is the entity, its targets are the words and the regions. An
entity is one over all posts (`deixis.exchange.merged`). A relation stands twice: as a triple of two
entities, and as a statement which says from which post it is, and how sure. Who made it is an
activity (PROV-O).
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from deixis.exchange.items import How, Item
from deixis.exchange.labels import LeftOut
from deixis.exchange.mentions import Happening, Link, Where, happenings_of, links_of
from deixis.exchange.merged import Entities, Merged
from deixis.exchange.rdf_post import Post, Region
from deixis.exchange.rdf_terms import (
    BASE,
    EVENTS,
    PREFIXES,
    RELATIONS,
    ROLES,
    TYPES,
    Node,
    checked_base,
    each,
    facts,
    number,
    part,
)
from deixis.exchange.schema_org import classes_of

OPTIONS = ("pictures", "base", "model")
_IDENTIFYING = PREFIXES["oa"] + "identifying"


class GraphOf:
    """Turns items into nodes; ``counts`` and ``left_out`` say of what, when all were."""

    def __init__(self, where: Where, how: How) -> None:
        """Take note of how.

        Raises:
            InputError: ``base`` or ``pictures`` is no absolute IRI.
        """
        self._where = where
        self._base = checked_base(how.base, "--base") if how.base is not None else BASE
        if how.pictures is not None:
            checked_base(how.pictures, "--pictures")
        self._model = how.model
        self._entities = Entities()
        self._runs: dict[str, tuple[str | None, dict[str, None]]] = {}
        self._counts: Counter[str] = Counter()
        self._left = LeftOut()

    def nodes(self, items: Iterable[Item]) -> Iterator[Node]:
        """Yield the nodes of each item, then the entities and who has found them.

        A picture that several posts have comes with each of them; all else comes once.
        """
        for item in items:
            post = Post.of(item, self._base, self._where, self._run(item))
            entities = [self._iri_of(self._entities.of(mention)) for mention in post.mentions]
            yield from self._about(post, entities)
            for place, entity in enumerate(entities):
                yield from self._mention(post, place, entity)
            for link in links_of(item):
                yield from self._link(post, entities, link)
            for happening in happenings_of(item):
                yield from self._happening(post, entities, happening)
        for merged in self._entities:
            yield self._entity(merged)
        for iri, (settings, models) in self._runs.items():
            about = facts(("schema:name", self._model), ("deixis:settings", settings))
            yield Node(iri, ["prov:Activity"], [*about, *each("deixis:model", models)])

    @property
    def counts(self) -> dict[str, int]:
        """How many posts, entities, mentions, regions and so on were written."""
        names = ("posts", "mentions", "regions", "spans", "frames", "relations", "events")
        counts = {name: self._counts[name] for name in names}
        return {"posts": counts.pop("posts"), "entities": len(self._entities), **counts}

    @property
    def left_out(self) -> list[str]:
        """What had no place in the graph."""
        return self._left.lines()

    def _iri_of(self, entity: Merged) -> str:
        return f"{self._base}entity/{part(entity.type)}/{part(entity.key)}"

    def _run(self, item: Item) -> str | None:
        """Return who made an item: one activity for each settings; nobody made a gold row."""
        given = item.data.get("settings")
        settings = given if isinstance(given, str) and item.extraction else None
        if item.extraction is None and self._model is None:
            return None
        iri = f"{self._base}run" + "".join(
            f"/{part(each)}" for each in (self._model, settings) if each
        )
        _, models = self._runs.setdefault(iri, (settings, {}))
        if item.extraction is not None:
            models |= {usage.model: None for usage in item.extraction.usage}
            for entity in item.extraction.entities:
                models |= {made.model: None for made in entity.decisions if made.model}
        return iri

    def _about(self, post: Post, entities: list[str]) -> Iterator[Node]:
        self._counts["posts"] += 1
        text = post.item.row.text or None
        pairs = facts(
            ("schema:identifier", post.item.id),
            ("schema:text", text),
            ("nif:isString", text),
            ("schema:audio", post.audio and post.audio[0]),
            ("schema:video", post.video and post.video[0]),
        )
        pairs += each("schema:image", (iri for iri, _ in post.pictures.values()))
        pairs += each("schema:mentions", entities)
        yield Node(post.iri, ["schema:SocialMediaPosting", "nif:Context"], pairs)
        for kind, iri, medium in post.media():
            known = facts(
                ("schema:contentUrl", medium.source),
                ("schema:sha256", medium.sha256),
                ("schema:width", str(medium.width) if medium.width else None),
                ("schema:height", str(medium.height) if medium.height else None),
            )
            yield Node(iri, [kind], known)

    def _mention(self, post: Post, place: int, entity: str) -> Iterator[Node]:
        self._counts["mentions"] += 1
        mention, iri = post.mentions[place], post.mention(place)
        targets: list[str] = []
        if words := post.words(mention.text, mention.start, mention.end):
            yield words
            targets.append(words.iri)
        regions = [region for region in post.regions(mention) if self._has_place(region, post)]
        for count, region in enumerate(regions, start=1):
            targets.append(f"{iri}/region/{count}")
            yield from self._region(targets[-1], region, entity)
        groundable = None if mention.groundable is None else str(mention.groundable).lower()
        about = facts(
            ("oa:motivatedBy", _IDENTIFYING),
            ("oa:hasBody", entity),
            ("deixis:groundable", groundable),
            ("deixis:expression", mention.expression),
        )
        about += [*each("oa:hasTarget", targets), *post.made(mention.confidence)]
        yield Node(iri, ["oa:Annotation"], about)

    def _has_place(self, region: Region, post: Post) -> bool:
        """Count a region, and its mask, which has none."""
        if region.fragment is None:
            why = "regions in frames of which it is not known when they are shown"
            self._left.add(why, post.item.id)
            return False
        if region.place is None:
            self._counts["spans"] += 1
        else:
            self._counts["regions" if region.place.frame is None else "frames"] += 1
            if region.place.mask is not None:
                self._left.add("masks: a media fragment is a rectangle", post.item.id)
        return True

    def _region(self, iri: str, region: Region, entity: str) -> Iterator[Node]:
        """Yield the region of a mention, the fragment that it is, and whom that shows."""
        kind, medium, fragment, score, place = region
        whole = f"{medium}#{fragment}"
        box = ",".join(map(number, place.box)) if place else None
        about = facts(
            ("oa:hasSource", medium),
            ("deixis:fragment", whole),
            ("deixis:box", box),
            ("deixis:confidence", None if score is None else number(score)),
        )
        yield Node(iri, ["oa:SpecificResource"], about)
        says = "foaf:depicts" if place else "schema:mentions"
        yield Node(whole, [kind], [("schema:isPartOf", medium), (says, entity)])
        if kind == "schema:ImageObject":
            yield Node(medium, [], [(says, entity)])

    def _link(self, post: Post, entities: list[str], link: Link) -> Iterator[Node]:
        self._counts["relations"] += 1
        subject, object_ = entities[link.subject], entities[link.object]
        relation = RELATIONS + part(link.type)
        yield Node(subject, [], [(relation, object_)])
        ends = facts(
            ("rdf:subject", subject),
            ("rdf:predicate", relation),
            ("rdf:object", object_),
            ("deixis:subjectMention", post.mention(link.subject)),
            ("deixis:objectMention", post.mention(link.object)),
        )
        iri = f"{post.iri}/relation/{part(link.id)}"
        yield Node(iri, ["rdf:Statement"], [*ends, *post.made(link.confidence)])

    def _happening(self, post: Post, entities: list[str], event: Happening) -> Iterator[Node]:
        self._counts["events"] += 1
        iri = f"{post.iri}/event/{part(event.id)}"
        if words := post.words(event.trigger, event.start, event.end):
            yield words
        roles = [(ROLES + part(role.role), entities[role.entity]) for role in event.roles]
        about = facts(("schema:name", event.trigger), ("oa:hasTarget", words and words.iri))
        pairs = [*about, *dict.fromkeys(roles), *post.made(event.confidence)]
        yield Node(iri, ["schema:Event", EVENTS + part(event.type)], pairs)
        for count, (role, (predicate, entity)) in enumerate(
            zip(event.roles, roles, strict=True), 1
        ):
            ends = facts(
                ("rdf:subject", iri),
                ("rdf:predicate", predicate),
                ("rdf:object", entity),
                ("deixis:objectMention", post.mention(role.entity)),
            )
            pairs = [*ends, *post.made(role.confidence)]
            yield Node(f"{iri}/argument/{count}", ["rdf:Statement"], pairs)

    def _entity(self, entity: Merged) -> Node:
        own = [TYPES + part(name) for name in (entity.type, *entity.fine_types)]
        classes = [f"schema:{name}" for name in classes_of(entity.type, entity.fine_types)]
        first, *others = entity.names
        return Node(
            self._iri_of(entity),
            list(dict.fromkeys([*classes, *own])),
            [("schema:name", first), *each("schema:alternateName", others)],
        )

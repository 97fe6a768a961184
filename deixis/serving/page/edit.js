// Corrections. Each takes an extraction and returns another, which satisfies the checks of
// deixis/base/extraction_records.py: text at its span (in code points), a place if and only if
// groundable, boxes inside the picture, relations and arguments of entities that are there.

import { length, slice, trimmed } from "./characters.js";

export const ANNOTATOR = "annotator";
const STEP = "review";

/** All pictures, in the order of a region's `image`. */
export function picturesOf(extraction) {
  return extraction.images?.length ? extraction.images : extraction.image ? [extraction.image] : [];
}

/** Whether an entity has a place in a picture, in sound or in a video. */
export function placed(entity) {
  return Boolean(entity.regions?.length || entity.spans?.length || entity.track?.length);
}

/** "yes" | "no" | "undecided" */
export const seenAs = (entity) => ({ true: "yes", false: "no", null: "undecided" })[String(entity.groundable ?? null)];

function decision(subject, outcome, evidence) {
  return { step: STEP, subject, outcome, model: null, confidence: null, evidence: [evidence], replies: [] };
}

function withEntity(extraction, id, change) {
  const entities = extraction.entities.map((entity) => {
    if (entity.id !== id) return entity;
    const { decided, ...made } = change(entity);
    return { ...made, decisions: [...(made.decisions ?? []), ...decided] };
  });
  return { ...extraction, entities };
}

const kind = (type, fine) => (fine ? `${type} / ${fine}` : type);

/** Change the type and fine type of an entity. */
export function retype(extraction, id, type, fine = null) {
  const entity = extraction.entities.find((each) => each.id === id);
  if (!entity || (entity.type === type && (entity.fine_type ?? null) === fine)) return extraction;
  const decided = [];
  if (entity.type !== type)
    decided.push(decision("type", type, `a person changed it from ${kind(entity.type, entity.fine_type)}`));
  if ((entity.fine_type ?? null) !== fine)
    decided.push(decision("fine_type", fine, `a person changed it from ${entity.fine_type ?? "none"}`));
  return withEntity(extraction, id, (old) => ({ ...old, type, fine_type: fine, decided }));
}

/** Say that an entity is not to be seen or heard (false), or that nobody can tell (null). */
export function notSeen(extraction, id, groundable) {
  const entity = extraction.entities.find((each) => each.id === id);
  if (!entity || (!placed(entity) && (entity.groundable ?? null) === groundable)) return extraction;
  const said = groundable === false ? "a person says that it is not to be seen or heard" : "a person says that nobody can tell";
  const decided = [decision("groundable", groundable === false ? "no" : null, said)];
  return withEntity(extraction, id, (old) => ({
    ...without(old, ["spans", "track"]), regions: [], groundable, decided,
  }));
}

function without(record, names) {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

const say = (box) => `[${box.map((edge) => Math.round(edge)).join(", ")}]`;

/** A box inside a picture, at least a pixel wide and high, to a tenth of a pixel. */
export function clamped([x1, y1, x2, y2], { width, height }) {
  const round = (value) => Math.round(value * 10) / 10;
  const within = (one, other, most) => {
    const low = Math.max(0, Math.min(round(Math.min(one, other)), most - 1));
    return [low, Math.min(most, Math.max(round(Math.max(one, other)), low + 1))];
  };
  const [left, right] = within(x1, x2, width);
  const [top, bottom] = within(y1, y2, height);
  return [left, top, right, bottom];
}

function region(box, image, pictures) {
  const made = { box: clamped(box, pictures[image]), mask: null, score: 1, source: ANNOTATOR };
  return image ? { ...made, image } : made;
}

/** Add a box of an entity in one of the pictures. */
export function addBox(extraction, id, box, image = 0) {
  const made = region(box, image, picturesOf(extraction));
  const decided = [decision("box", say(made.box), "a person drew it")];
  return withEntity(extraction, id, (old) => {
    if (old.groundable !== true) decided.unshift(decision("groundable", "yes", "a person drew a box around it"));
    return { ...old, groundable: true, regions: [...(old.regions ?? []), made], decided };
  });
}

/** Give another box to the region `place` of an entity. Its mask fits no more and is left out. */
export function moveBox(extraction, id, place, box) {
  const old = extraction.entities.find((each) => each.id === id).regions[place];
  const made = region(box, old.image ?? 0, picturesOf(extraction));
  if (made.box.every((edge, i) => edge === old.box[i])) return extraction;
  return withEntity(extraction, id, (entity) => ({
    ...entity,
    regions: entity.regions.map((each, i) => (i === place ? made : each)),
    decided: [decision("box", say(made.box), `a person moved it from ${say(old.box)}`)],
  }));
}

/** Drop a region, a span or the track of an entity; without any place left, nobody can tell. */
export function dropPlace(extraction, id, what, place = 0) {
  return withEntity(extraction, id, (old) => {
    const left = what === "track" ? [] : old[what].filter((_, i) => i !== place);
    const made = left.length || what === "regions" ? { ...old, [what]: left } : without(old, [what]);
    const subject = { regions: "box", spans: "span", track: "track" }[what];
    const gone = what === "regions" ? say(old.regions[place].box) : what === "spans"
      ? `${old.spans[place].start} to ${old.spans[place].end} s` : "all frames";
    const decided = [decision(subject, null, `a person removed ${gone}`)];
    if (!placed(made)) decided.push(decision("groundable", null, "no place is left, and nobody has said that there is none"));
    return { ...made, groundable: placed(made) ? true : null, decided };
  });
}

function freeId(extraction) {
  const taken = new Set(extraction.entities.map((each) => each.id));
  let number = extraction.entities.length + 1;
  while (taken.has(`e${number}`)) number += 1;
  return `e${number}`;
}

/**
 * Add an entity that the text names at half-open code points. Returns [extraction, id]; the id
 * is null, and nothing is added, where there are no words or the same ones are marked already.
 */
export function addMention(extraction, start, end, type, fine = null) {
  [start, end] = trimmed(extraction.text, start, end);
  const text = slice(extraction.text, start, end);
  const there = extraction.entities.some((each) => each.start === start && each.end === end);
  if (!text || there || end > length(extraction.text)) return [extraction, null];
  const id = freeId(extraction);
  const entity = {
    id, text, start, end, type, fine_type: fine, expression: null,
    knowledge: { attributes: [], summary: null }, groundable: null, confidence: 1, regions: [],
    decisions: [decision("type", kind(type, fine), "a person marked it in the text")],
  };
  return [{ ...extraction, entities: [...extraction.entities, entity] }, id];
}

/** Drop an entity, and the relations and arguments that are of it. */
export function dropEntity(extraction, id) {
  const made = { ...extraction, entities: extraction.entities.filter((each) => each.id !== id) };
  if (extraction.relations)
    made.relations = extraction.relations.filter((each) => each.subject !== id && each.object !== id);
  if (extraction.events)
    made.events = extraction.events.map((event) =>
      event.arguments?.some((part) => part.entity === id)
        ? { ...event, arguments: event.arguments.filter((part) => part.entity !== id) }
        : event);
  return made;
}

/** Drop a relation or an event, by its id. */
export function dropLink(extraction, what, id) {
  return { ...extraction, [what]: extraction[what].filter((each) => each.id !== id) };
}

/** Change the type of a relation or an event. */
export function retypeLink(extraction, what, id, type) {
  const old = extraction[what].find((each) => each.id === id);
  if (!old || old.type === type) return extraction;
  const decided = decision("type", type, `a person changed it from ${old.type}`);
  return {
    ...extraction,
    [what]: extraction[what].map((each) =>
      each.id === id ? { ...each, type, decisions: [...(each.decisions ?? []), decided] } : each),
  };
}

/** Drop an argument of an event, by its place. */
export function dropArgument(extraction, id, place) {
  return {
    ...extraction,
    events: extraction.events.map((event) => {
      if (event.id !== id) return event;
      const gone = event.arguments[place];
      const decided = decision("argument", null, `a person removed ${gone.role}`);
      return {
        ...event,
        arguments: event.arguments.filter((_, i) => i !== place),
        decisions: [...(event.decisions ?? []), decided],
      };
    }),
  };
}

// The list of entities: what each is, whether it is to be seen, where, and why.

import { paint } from "./colours.js";
import { decisionsOf, votesOf } from "./decisions.js";
import { button, clock, el, fill, newId, roving, select, share } from "./dom.js";
import { dropEntity, dropPlace, notSeen, picturesOf, placed, retype, seenAs } from "./edit.js";
import { typesOf } from "./types.js";

/** The number of an entity on its colour; hollow if it has no place. */
export function badge(sheet, id) {
  const i = sheet.number(id);
  const there = placed(sheet.entity(id));
  return el("span", { class: there ? "badge" : "badge hollow", style: paint(i) }, String(i + 1));
}

/** The evidence on whether an entity is shown or heard, and where; the last word first. */
export function why(entity) {
  const about = ["groundable", "box", "region", "span", "track"];
  const decided = [...(entity.decisions ?? [])].reverse().filter((each) => about.includes(each.subject));
  return [...new Set(decided.flatMap((each) => each.evidence ?? []))];
}

export class Entities {
  constructor(sheet) {
    this.sheet = sheet;
    const { audio, video } = sheet.extraction;
    this.words = audio || video ? ["Found?", "Found", "Not there", "Nobody can tell"] : ["Visible?", "Seen", "Not to be seen", "Nobody can tell"];
    this.list = el("ol", { class: "cards" });
    this.names = roving(this.list, ".name");
    this.heading = el("h3", { tabindex: "-1", "data-key": "entities" });
    this.element = el("div", {}, this.heading, this.list);
  }

  update() {
    const { entities } = this.sheet.extraction;
    const seen = entities.filter(placed).length;
    fill(this.heading, "Entities ", el("span", { class: "faint" }, entities.length ? `${entities.length}, of which ${seen} ${this.words[1].toLowerCase()}` : "none"));
    fill(this.list, entities.map((entity) => this.#card(entity)));
    this.names.reset();
  }

  #card(entity) {
    const { sheet } = this;
    const { editable } = sheet;
    const drop = () => {
      const next = sheet.extraction.entities[sheet.number(entity.id) + 1] ?? sheet.extraction.entities[sheet.number(entity.id) - 1];
      sheet.edit(dropEntity(sheet.extraction, entity.id), `${entity.text} dropped`);
      sheet.focus(next ? `name:${next.id}` : "entities");
    };
    return el(
      "li",
      { class: "card", "data-entity": entity.id },
      el(
        "div",
        { class: "head" },
        button([badge(sheet, entity.id), el("bdi", {}, entity.text)], () => this.#show(entity), { class: "name", "data-key": `name:${entity.id}`, tabindex: "-1" }),
        el("span", { class: "faint number", title: "how sure the recognizer is of the mention" }, share(entity.confidence)),
        editable && button("Drop", drop, { class: "quiet", "aria-label": `Drop ${entity.text}`, "data-key": `drop:${entity.id}` }),
      ),
      editable ? this.#editors(entity) : this.#said(entity),
      this.#places(entity),
      entity.expression && el("p", { class: "expression" }, entity.expression),
      this.#why(entity),
      votesOf(sheet, entity),
      decisionsOf(sheet, `entity:${entity.id}`, entity.text, entity.decisions ?? []),
    );
  }

  #why(entity) {
    const lines = why(entity);
    return lines.length > 0 && el("ul", { class: "why", "aria-label": "Why" }, lines.map((line) => el("li", {}, line)));
  }

  /** Bring the place of an entity to sight: its first box, its words, or its sound. */
  #show(entity) {
    const { sheet } = this;
    const [span] = entity.spans ?? [];
    const [frame] = entity.track ?? [];
    if (!entity.regions?.length && (span || frame)) sheet.play(span?.start ?? frame.time, span?.end ?? frame.time);
    const found = sheet.root.querySelector(`.box[data-entity="${CSS.escape(entity.id)}"]`)
      ?? sheet.root.querySelector(`mark[data-entity="${CSS.escape(entity.id)}"]`);
    found?.scrollIntoView({ block: "nearest" });
  }

  #said(entity) {
    const [mark, words] = { yes: ["✓", this.words[1]], no: ["–", this.words[2]], undecided: ["?", "undecided"] }[seenAs(entity)];
    return el("p", { class: "said" }, el("span", { class: "kind" }, entity.fine_type ? `${entity.type} / ${entity.fine_type}` : entity.type),
      el("span", { class: `seen seen-${seenAs(entity)}` }, `${mark} ${words.toLowerCase()}`));
  }

  #editors(entity) {
    const { sheet } = this;
    const types = typesOf(sheet);
    const fine = types.find((each) => each.name === entity.type)?.fine_types ?? [];
    const named = entity.fine_type && !fine.includes(entity.fine_type) ? [...fine, entity.fine_type] : fine;
    const change = (type, finer) => {
      const known = types.find((each) => each.name === type)?.fine_types ?? [];
      const kept = finer && (known.includes(finer) || type === entity.type) ? finer : null;
      sheet.edit(retype(sheet.extraction, entity.id, type, kept), `${entity.text} is ${kept ? `${type} / ${kept}` : type}`);
    };
    return el(
      "div",
      { class: "editors" },
      select(types.map((each) => each.name), entity.type, {
        "aria-label": `Type of ${entity.text}`, "data-key": `type:${entity.id}`,
        onchange: (event) => change(event.target.value, entity.fine_type),
      }),
      named.length > 0 && select([["", "no fine type"], ...named], entity.fine_type ?? "", {
        "aria-label": `Fine type of ${entity.text}`, "data-key": `fine:${entity.id}`,
        onchange: (event) => change(entity.type, event.target.value || null),
      }),
      this.#choice(entity),
    );
  }

  #choice(entity) {
    const { sheet } = this;
    const pictures = picturesOf(sheet.extraction).length > 0;
    const now = seenAs(entity);
    const name = newId("seen");
    const choose = (value) => {
      if (value === "yes") {
        sheet.draw(entity.id);
        this.update(); // until there is a box, nothing has changed
        sheet.focus("picture:0");
      } else {
        const said = (value === "no" ? this.words[2] : this.words[3]).toLowerCase();
        sheet.edit(notSeen(sheet.extraction, entity.id, value === "no" ? false : null), `${entity.text}: ${said}`);
      }
    };
    const one = (value, words, off = false) => el("label", {},
      el("input", { type: "radio", name, value, checked: now === value, disabled: off, "data-key": `seen:${entity.id}:${value}`, onchange: () => choose(value) }), el("span", {}, words));
    return el("fieldset", { class: "choice" }, el("legend", { class: "hidden" }, `${this.words[0]} ${entity.text}`),
      one("yes", this.words[1], !pictures && now !== "yes"), one("no", this.words[2]), one("undecided", this.words[3]));
  }

  #places(entity) {
    const { sheet } = this;
    const gone = (what, place, words) => sheet.editable && button("Remove", () => {
      sheet.edit(dropPlace(sheet.extraction, entity.id, what, place), `${words} of ${entity.text} removed`);
      sheet.focus(`name:${entity.id}`);
    }, { class: "quiet", "aria-label": `Remove ${words} of ${entity.text}`, "data-key": `gone:${what}:${entity.id}:${place}` });
    const boxes = (entity.regions ?? []).map(({ box, image = 0, mask, score, source }, i) => {
      const [x1, y1, x2, y2] = box.map((edge) => Math.round(edge));
      const where = `${picturesOf(sheet.extraction).length > 1 ? `picture ${image + 1}: ` : ""}${x1}, ${y1} to ${x2}, ${y2}`;
      return el("li", {}, el("span", { class: "number" }, where), el("span", { class: "faint" }, `${source}, ${share(score)}${mask ? ", mask" : ""}`), gone("regions", i, `box ${i + 1}`));
    });
    const spans = (entity.spans ?? []).map((span, i) => {
      const words = `${clock(span.start)} to ${clock(span.end)}`;
      return el("li", {}, button(`▶ ${words}`, () => sheet.play(span.start, span.end), { class: "play number", "aria-label": `Play ${words}`, "data-key": `span:${entity.id}:${i}` }),
        el("span", { class: "faint" }, `${span.source}, ${share(span.score)}`), gone("spans", i, `span ${i + 1}`));
    });
    const { track = [] } = entity;
    const frames = track.length > 0 && el("li", {},
      button(`▶ ${track.length} ${track.length === 1 ? "frame" : "frames"}, ${clock(track[0].time)} to ${clock(track.at(-1).time)}`, () => sheet.film?.seek(track[0].time), { class: "play number", "data-key": `track:${entity.id}` }),
      el("span", { class: "faint" }, [...new Set(track.map((each) => each.region.source))].join(", ")), gone("track", 0, "the track"));
    const draw = sheet.editable && picturesOf(sheet.extraction).length > 0 && el("li", {},
      button(boxes.length ? "Another box" : "Draw a box", () => sheet.draw(entity.id), { class: "quiet", "aria-label": `${boxes.length ? "Draw another box" : "Draw a box"} of ${entity.text}`, "data-key": `draw:${entity.id}` }));
    return el("ul", { class: "places" }, boxes, spans, frames, draw);
  }
}

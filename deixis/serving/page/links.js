// Relations and events: what entities are to each other, and what happens.

import { decisionsOf } from "./decisions.js";
import { badge } from "./entities.js";
import { button, clock, el, fill, select, share } from "./dom.js";
import { dropArgument, dropLink, retypeLink } from "./edit.js";
import { linksOf } from "./types.js";

export class Links {
  constructor(sheet) {
    this.sheet = sheet;
    this.element = el("div", { class: "links" });
  }

  update() {
    const { relations = [], events = [] } = this.sheet.extraction;
    const list = (title, key, cards) => cards.length > 0 && [el("h3", { tabindex: "-1", "data-key": key }, title, " ", el("span", { class: "faint" }, String(cards.length))), el("ul", { class: "cards" }, cards)];
    fill(this.element, list("Relations", "relations", relations.map((each) => this.#relation(each))), list("Events", "events", events.map((each) => this.#event(each))));
  }

  #name(id) {
    const { sheet } = this;
    const entity = sheet.entity(id);
    return entity ? el("span", { class: "linked", "data-entity": id }, badge(sheet, id), el("bdi", {}, entity.text)) : el("span", { class: "faint" }, id);
  }

  #head(what, link, name) {
    const { sheet } = this;
    const one = what.slice(0, -1);
    const type = sheet.editable
      ? select(linksOf(sheet, what), link.type, {
        "aria-label": `Type of the ${one} ${name}`, "data-key": `link:${link.id}`,
        onchange: (event) => sheet.edit(retypeLink(sheet.extraction, what, link.id, event.target.value), `the ${one} ${name} is ${event.target.value}`),
      })
      : el("strong", {}, link.type);
    const drop = sheet.editable && button("Drop", () => {
      sheet.edit(dropLink(sheet.extraction, what, link.id), `the ${one} ${name} dropped`);
      if (!sheet.focus(what)) sheet.focus("entities");
    }, { class: "quiet", "aria-label": `Drop the ${one} ${name}`, "data-key": `unlink:${link.id}` });
    return el("div", { class: "head" }, type, el("span", { class: "faint number" }, share(link.confidence)), drop);
  }

  #relation(link) {
    const { sheet } = this;
    const named = (id) => sheet.entity(id)?.text ?? id;
    const name = `${named(link.subject)} – ${named(link.object)}`;
    return el("li", { class: "card" }, this.#head("relations", link, name),
      el("p", { class: "ends" }, this.#name(link.subject), el("span", { class: "faint" }, "→"), this.#name(link.object)),
      decisionsOf(sheet, `relation:${link.id}`, name, link.decisions ?? []));
  }

  #event(link) {
    const { sheet } = this;
    const { trigger } = link;
    const name = trigger?.text ?? link.type;
    const heard = (trigger?.spans ?? []).map((span) =>
      button(`▶ ${clock(span.start)} to ${clock(span.end)}`, () => sheet.play(span.start, span.end), { class: "play number", "data-key": `heard:${link.id}:${span.start}` }));
    const parts = (link.arguments ?? []).map((part, i) => {
      const gone = sheet.editable && button("Remove", () => {
        sheet.edit(dropArgument(sheet.extraction, link.id, i), `${part.role} of ${name} removed`);
        sheet.focus(`link:${link.id}`);
      }, { class: "quiet", "aria-label": `Remove ${part.role} of ${name}`, "data-key": `part:${link.id}:${i}` });
      return el("li", {}, el("span", { class: "faint" }, `${part.role}:`), this.#name(part.entity), el("span", { class: "faint number" }, share(part.confidence)), gone);
    });
    return el("li", { class: "card" }, this.#head("events", link, name),
      el("p", { class: "ends" }, trigger ? ["“", el("bdi", {}, trigger.text), "” ", heard] : el("span", { class: "faint" }, "no word for it")),
      el("ul", { class: "places" }, parts),
      decisionsOf(sheet, `event:${link.id}`, name, link.decisions ?? []));
  }
}

// The text, with its entities in colour.

import { atUnit, runs, slice } from "./characters.js";
import { paint } from "./colours.js";
import { el, fill, roving } from "./dom.js";

export class Text {
  constructor(sheet) {
    this.sheet = sheet;
    this.pending = null; // the half-open code points of a mention that is about to be marked
    this.body = el("p", { class: "text", lang: "", dir: "auto" });
    this.list = roving(this.body, "mark");
    this.element = el("div", { role: "group", "aria-label": "The text" }, this.body);
  }

  update() {
    const { sheet } = this;
    const { text, entities } = sheet.extraction;
    const spans = entities.flatMap(({ start, end }, i) => (start === null || start === undefined ? [] : [[start, end, i]]));
    if (this.pending) spans.push([...this.pending, "pending"]);
    fill(this.body, runs(text, spans).map(([start, end, mark]) => {
      const words = slice(text, start, end);
      if (mark === null) return words;
      if (mark === "pending") return el("span", { class: "pending" }, words);
      return this.#mark(words, mark, spans.filter((each) => each[1] === end && each[2] !== "pending"));
    }));
    this.list.reset();
  }

  #mark(words, i, ended) {
    const { sheet } = this;
    const entity = sheet.extraction.entities[i];
    const kind = entity.fine_type ? `${entity.type} / ${entity.fine_type}` : entity.type;
    const go = () => sheet.focus(`name:${entity.id}`);
    // Numbers come by the style sheet, so that what is selected and copied is the text alone.
    return el("mark", {
      "data-entity": entity.id, "data-key": `mark:${entity.id}`, role: "button", tabindex: "-1", title: kind,
      "data-numbers": ended.map((each) => each[2] + 1).join(" ") || null,
      style: paint(i), onclick: () => getSelection().isCollapsed && go(), onkeydown: (event) => event.key === "Enter" && go(),
    }, words);
  }

  /** The half-open code points that are selected in the text, or null. */
  selected() {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0);
    if (!this.body.contains(range.startContainer) || !this.body.contains(range.endContainer)) return null;
    const upTo = (container, offset) => {
      const before = document.createRange();
      before.setStart(this.body, 0);
      before.setEnd(container, offset);
      return atUnit(this.sheet.extraction.text, before.toString().length);
    };
    return [upTo(range.startContainer, range.startOffset), upTo(range.endContainer, range.endOffset)];
  }

  /** Show where a mention would be marked. */
  preview(place) {
    this.pending = place;
    this.update();
  }
}

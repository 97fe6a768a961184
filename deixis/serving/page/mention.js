// A mention that was missed: selected in the text, or its words typed.

import { placesOf, slice, trimmed } from "./characters.js";
import { el, labelled, select } from "./dom.js";
import { addMention } from "./edit.js";
import { typesOf } from "./types.js";

export class Mention {
  #places = [];
  #watching = new AbortController();

  constructor(sheet, text) {
    this.sheet = sheet;
    this.text = text;
    this.words = el("input", { type: "text", autocomplete: "off", spellcheck: "false", "data-key": "mention", oninput: () => this.#typed() });
    this.which = select([], "", { onchange: () => this.#show() });
    this.whichField = labelled("Which", this.which, { hidden: true });
    this.type = select(typesOf(sheet).map((each) => each.name), "", {});
    this.add = el("button", { type: "submit" }, "Mark");
    this.note = el("p", { class: "faint", role: "status" });
    this.element = el("form", { class: "mention", "aria-label": "Mark what was missed", onsubmit: (event) => this.#submit(event) },
      labelled("Missed? Select it in the text, or type it", this.words, { class: "field grow" }), this.whichField, labelled("Type", this.type), this.add, this.note);
    const { signal } = this.#watching;
    document.addEventListener("selectionchange", () => this.#selected(), { signal });
  }

  destroy() {
    this.#watching.abort();
  }

  update() {}

  #selected() {
    const place = this.text.selected();
    if (!place) return;
    const { text } = this.sheet.extraction;
    const [start, end] = trimmed(text, ...place);
    if (start === end) return;
    this.words.value = slice(text, start, end);
    this.#offer([[start, end]]);
  }

  #typed() {
    const { text, entities } = this.sheet.extraction;
    const marked = (place) => entities.some(({ start, end }) => start === place[0] && end === place[1]);
    const places = placesOf(text, this.words.value.trim());
    const free = places.filter((place) => !marked(place));
    this.#offer(free);
    this.text.preview(free[0] ?? null);
    this.note.textContent = !this.words.value.trim() || free.length ? ""
      : places.length ? "That is marked already." : "The text has no such words: spell them as it does.";
  }

  #offer(places) {
    this.#places = places;
    this.note.textContent = "";
    this.which.replaceChildren(...places.map((_, i) => el("option", { value: String(i) }, `${i + 1} of ${places.length}`)));
    this.whichField.hidden = places.length < 2;
  }

  #show() {
    this.text.preview(this.#places[Number(this.which.value)] ?? null);
  }

  #submit(event) {
    event.preventDefault();
    const { sheet } = this;
    const place = this.#places[Number(this.which.value || 0)];
    if (!place) {
      this.note.textContent = this.words.value.trim() ? this.note.textContent || "The text has no such words: spell them as it does." : "Select words in the text first, or type them here.";
      this.words.focus();
      return;
    }
    const [made, id] = addMention(sheet.extraction, ...place, this.type.value);
    if (id === null) {
      this.note.textContent = "That is marked already.";
      return;
    }
    getSelection().removeAllRanges();
    this.words.value = "";
    this.text.pending = null;
    this.#offer([]);
    sheet.edit(made, `${made.entities.at(-1).text} marked as ${this.type.value}`);
    sheet.focus(`name:${id}`);
  }
}

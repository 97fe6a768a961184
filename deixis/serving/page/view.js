// A result on the page: the post, what was found in it, and who decided. Other pages use it like
//
//   const sheet = new Sheet(root, { extraction, media, schema, editable: true });
//   sheet.addEventListener("change", () => save(sheet.extraction));
//
// `media` is {images: [url, ...], audio: url, video: url}: pictures may lie on this server, sound
// and video are blob: URLs, as the policy of the page wants them; what is missing is said to be.
// `names` in it, if given, are what the pictures are called.
// `schema` is one of GET /v1/graphs; without it types are those of the extraction. `place`, if
// given, is an element for the buttons of undo and redo. The page links style.css and sheet.css.

import { el, fill, fold } from "./dom.js";
import { Entities } from "./entities.js";
import { Film } from "./film.js";
import { History } from "./history.js";
import { Links } from "./links.js";
import { Mention } from "./mention.js";
import { Picture } from "./picture.js";
import { picturesOf } from "./edit.js";
import { Report } from "./report.js";
import { Sound } from "./sound.js";
import { Text } from "./text.js";
import { Tools } from "./tools.js";

/** Sends "change" after every correction, also when one is taken back or done again. */
export class Sheet extends EventTarget {
  #history;
  #views = [];
  #opened = new Set();
  #rendering = false;
  #watching = new AbortController();

  constructor(root, { extraction, media = {}, schema = null, editable = false, place = null }) {
    super();
    this.root = root;
    this.media = media;
    this.schema = schema;
    this.editable = editable;
    this.drawing = null; // the id of the entity that a box is being drawn for
    this.#history = new History(extraction);
    this.#build(place);
    this.#listen();
    this.#render();
  }

  /** What is on the page now: always one that the records of Deixis accept. */
  get extraction() {
    return this.#history.now;
  }

  /** Whether anything was corrected, and not taken back. */
  get changed() {
    return this.#history.changed;
  }

  get canUndo() {
    return this.#history.canUndo;
  }

  get canRedo() {
    return this.#history.canRedo;
  }

  undo() {
    this.#stepped(this.#history.undo(), "Taken back");
  }

  redo() {
    this.#stepped(this.#history.redo(), "Done again");
  }

  /** Take everything off the page. */
  destroy() {
    this.#watching.abort();
    for (const view of this.#views) view.destroy?.();
    this.root.replaceChildren();
  }

  // What follows is for the parts of the sheet.

  /** Make a correction. Steps of one `key` in a row are undone together. */
  edit(extraction, said, key = null) {
    if (extraction === this.extraction) return;
    this.#history.do(extraction, said, key);
    this.#render();
    this.say(said);
    this.dispatchEvent(new Event("change"));
  }

  /** Let the next correction be undone by itself. */
  rest() {
    if (!this.#rendering) this.#history.rest(); // what is drawn anew loses the focus for a moment
  }

  /** Tell what happened, to those who look and those who listen. */
  say(words) {
    this.tools.say(words);
  }

  entity(id) {
    return this.extraction.entities.find((each) => each.id === id);
  }

  /** The number of an entity from 0, by which it has its colour. */
  number(id) {
    return this.extraction.entities.findIndex((each) => each.id === id);
  }

  /** Light up all that is of one entity; null for nothing. */
  light(id) {
    for (const each of this.root.querySelectorAll("[data-entity]"))
      each.classList.toggle("lit", id !== null && each.dataset.entity === id);
    this.root.classList.toggle("lighting", id !== null);
  }

  /** Put the focus on what has a key; false if that is not there. */
  focus(key) {
    const found = [...this.root.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
    found?.focus({ preventScroll: true });
    found?.scrollIntoView({ block: "nearest", inline: "nearest" });
    return Boolean(found);
  }

  /** Wait for a box of an entity to be drawn, or no more. */
  draw(id) {
    this.drawing = id;
    for (const view of this.#views) view.armed?.(id);
    if (id === null) return;
    this.focus("picture:0");
    this.say(`Drag a box around ${this.entity(id).text} – or press Enter for one in the middle, which arrow keys move. Escape leaves.`);
  }

  /** A fold that stays open when the sheet is drawn anew. */
  fold(key, summary, inside) {
    const made = fold(summary, inside, { open: this.#opened.has(key), "data-fold": key });
    made.addEventListener("toggle", () => this.#opened[made.open ? "add" : "delete"](key));
    made.querySelector("summary").dataset.key = `fold:${key}`;
    return made;
  }

  /** Play from one second to another, where there is something that plays. */
  play(from, to) {
    this.player?.play(from, to);
  }

  #build(place) {
    const { extraction } = this;
    this.tools = new Tools(this);
    const add = (view) => {
      this.#views.push(view);
      return view;
    };
    const pictures = picturesOf(extraction).map((info, i) => add(new Picture(this, i, info)));
    const film = extraction.video && add(new Film(this));
    const sound = (extraction.audio || extraction.video?.sound) && add(new Sound(this, film));
    const text = extraction.text && add(new Text(this));
    const mention = extraction.text && this.editable && add(new Mention(this, text));
    const report = add(new Report(this));
    const found = [add(new Entities(this)), add(new Links(this))];
    this.player = sound || film;
    const part = (view) => view && view.element;
    if (place) fill(place, this.editable && this.tools.element);
    fill(
      this.root,
      !place && this.editable && this.tools.element,
      this.tools.status,
      el(
        "div",
        { class: pictures.length || film ? "columns" : "columns narrow" },
        el("section", { class: "post", "aria-label": "The post" }, pictures.map(part), part(film), part(text), part(mention), part(sound)),
        el("section", { class: "found", "aria-label": "What was found" }, found.map(part)),
      ),
      report.element,
    );
    this.root.classList.add("sheet");
  }

  #listen() {
    const { signal } = this.#watching;
    const of = (event) => event.target.closest?.("[data-entity]")?.dataset.entity ?? null;
    for (const kind of ["pointerover", "focusin"])
      this.root.addEventListener(kind, (event) => this.light(of(event)), { signal });
    this.root.addEventListener("pointerleave", () => this.light(null), { signal });
    this.root.addEventListener("focusout", (event) => event.relatedTarget || this.light(null), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  #key(event) {
    if (event.key === "Escape" && this.drawing !== null) {
      const id = this.drawing;
      this.draw(null);
      this.focus(`draw:${id}`);
      this.say("No box was drawn.");
      return;
    }
    const typing = event.target.closest?.("textarea, input:not([type=radio])") || document.querySelector("dialog[open]");
    if (!this.editable || typing || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    const what = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : null;
    if (!what) return;
    event.preventDefault();
    this[what]();
  }

  #stepped(said, how) {
    if (said === null) return;
    this.#render();
    this.say(`${how}: ${said}`);
    this.dispatchEvent(new Event("change"));
  }

  #render() {
    const key = document.activeElement?.closest?.("[data-key]")?.dataset.key;
    const here = this.root.contains(document.activeElement);
    if (this.drawing !== null && !this.entity(this.drawing)) this.drawing = null;
    this.#rendering = true;
    for (const view of this.#views) view.update();
    this.tools.update();
    this.#rendering = false;
    const lost = here && !this.root.contains(document.activeElement);
    if (lost && !(key && this.focus(key))) this.focus("entities");
  }
}

// Boxes by hand: drawn, moved and resized by mouse, finger, pen and keyboard.

import { el } from "./dom.js";
import { addBox, clamped, dropPlace, moveBox } from "./edit.js";
import { placedAt } from "./places.js";

const LEAST = 4; // pixels of the screen: less than that is a click, not a drag

export class Boxes {
  constructor(picture) {
    this.picture = picture;
    this.sheet = picture.sheet;
    const { stage } = picture;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("keydown", (event) => this.#key(event));
    stage.addEventListener("focusout", () => this.sheet.rest());
  }

  #down(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    if (this.sheet.drawing !== null) this.#drawn(event);
    else {
      const box = event.target.closest(".box");
      // By finger, the first touch chooses a box; else nobody could scroll past a large one.
      const chosen = box && (event.pointerType !== "touch" || document.activeElement === box);
      if (chosen) this.#dragged(event, box);
    }
  }

  /** Where a pointer is, in pixels of the picture. */
  #at(event) {
    const { left, top, width, height } = this.picture.stage.getBoundingClientRect();
    const { info } = this.picture;
    return [((event.clientX - left) / width) * info.width, ((event.clientY - top) / height) * info.height];
  }

  /** Follow a pointer until it is let go: `move(event)` as it goes, `done(event)` in the end. */
  #follow(first, move, done) {
    const { stage } = this.picture;
    first.preventDefault();
    stage.setPointerCapture(first.pointerId);
    const over = new AbortController();
    const { signal } = over;
    let far = false;
    const end = (event, kept) => {
      over.abort();
      done(event, kept && far);
    };
    stage.addEventListener("pointermove", (event) => {
      if (event.pointerId !== first.pointerId) return;
      far ||= Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY) >= LEAST;
      if (far) move(event);
    }, { signal });
    stage.addEventListener("pointerup", (event) => event.pointerId === first.pointerId && end(event, true), { signal });
    stage.addEventListener("pointercancel", (event) => end(event, false), { signal });
    document.addEventListener("keydown", (event) => event.key === "Escape" && end(event, false), { signal });
  }

  #drawn(first) {
    const { picture, sheet } = this;
    const [x, y] = this.#at(first);
    const rubber = el("div", { class: "rubber" });
    picture.boxes.append(rubber);
    const box = (event) => clamped([x, y, ...this.#at(event)], picture.info);
    let last = null;
    this.#follow(first, (event) => {
      last = box(event);
      for (const [name, value] of Object.entries(placedAt(last, picture.info))) rubber.style.setProperty(name, value);
    }, (_, kept) => {
      rubber.remove();
      if (kept && sheet.drawing !== null) this.#put(last);
      else if (sheet.drawing !== null) sheet.say("That was too small for a box: drag from one corner to the other.");
    });
  }

  /** Give the entity that is drawn a box. */
  #put(box) {
    const { sheet, picture } = this;
    const id = sheet.drawing;
    sheet.draw(null);
    const name = sheet.entity(id).text;
    sheet.edit(addBox(sheet.extraction, id, box, picture.number), `a box for ${name}`);
    sheet.focus(`box:${id}:${sheet.entity(id).regions.length - 1}`);
  }

  #dragged(first, box) {
    const { sheet, picture } = this;
    const { entity: id } = box.dataset;
    const place = Number(box.dataset.place);
    const old = sheet.entity(id).regions[place].box;
    const edge = first.target.dataset.edge ?? null;
    const from = this.#at(first);
    box.focus({ preventScroll: true });
    let made = old;
    const shown = (edges) => {
      for (const [name, value] of Object.entries(placedAt(edges, picture.info))) box.style.setProperty(name, value);
    };
    this.#follow(first, (event) => {
      const [x, y] = this.#at(event);
      made = moved(old, x - from[0], y - from[1], edge, picture.info);
      shown(made);
    }, (_, kept) => {
      if (!kept) shown(old);
      else sheet.edit(moveBox(sheet.extraction, id, place, made), `the box of ${sheet.entity(id).text} moved`);
    });
  }

  #key(event) {
    const { sheet, picture } = this;
    if (sheet.drawing !== null) {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      const { width, height } = picture.info;
      this.#put([width * 0.35, height * 0.35, width * 0.65, height * 0.65]);
      return;
    }
    const box = event.target.closest(".box");
    if (!box || event.altKey || event.metaKey) return;
    const { entity: id } = box.dataset;
    const place = Number(box.dataset.place);
    const name = sheet.entity(id).text;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      sheet.edit(dropPlace(sheet.extraction, id, "regions", place), `a box of ${name} removed`);
      sheet.focus(`name:${id}`);
      return;
    }
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const { width, height } = picture.info;
    const step = event.ctrlKey ? 1 : Math.max(1, Math.round(Math.max(width, height) / 100));
    const [dx, dy] = way.map((each) => each * step);
    const made = moved(sheet.entity(id).regions[place].box, dx, dy, event.shiftKey ? "se" : null, picture.info);
    const what = event.shiftKey ? "resized" : "moved";
    const said = `the box of ${name} ${what}: ${made.map((each) => Math.round(each)).join(", ")}`;
    sheet.edit(moveBox(sheet.extraction, id, place, made), said, `${what}:${id}:${place}`);
  }
}

/** A box after some of its edges ("n", "se", ...), or all, went by dx and dy; inside the picture. */
export function moved([x1, y1, x2, y2], dx, dy, edges, info) {
  if (edges === null) {
    const across = Math.max(-x1, Math.min(info.width - x2, dx));
    const down = Math.max(-y1, Math.min(info.height - y2, dy));
    return clamped([x1 + across, y1 + down, x2 + across, y2 + down], info);
  }
  const has = (edge) => edges.includes(edge);
  const left = has("w") ? Math.min(x1 + dx, x2 - 1) : x1;
  const right = has("e") ? Math.max(x2 + dx, x1 + 1) : x2;
  const top = has("n") ? Math.min(y1 + dy, y2 - 1) : y1;
  const bottom = has("s") ? Math.max(y2 + dy, y1 + 1) : y2;
  return clamped([left, top, right, bottom], info);
}

// One picture with the boxes and masks of its entities on it.

import { Boxes } from "./boxes.js";
import { colour, paint } from "./colours.js";
import { el, fill } from "./dom.js";
import { picturesOf } from "./edit.js";
import { painted } from "./masks.js";
import { nameOf, placedAt } from "./places.js";

export class Picture {
  #masks = new Map(); // region to what was painted of it: masks are never changed, only left out

  constructor(sheet, number, info) {
    this.sheet = sheet;
    this.number = number;
    this.info = info;
    this.name = nameOf(sheet.media.names?.[number], info.source);
    this.masks = el("div", { class: "masks", "aria-hidden": "true" });
    this.boxes = el("div", { class: "boxes", role: "group", "aria-label": "Boxes" });
    this.stage = el(
      "div",
      { class: "stage", "data-key": `picture:${number}`, tabindex: "-1", style: { "--ratio": String(info.width / info.height) } },
      this.#image(),
      this.masks,
      this.boxes,
    );
    const many = picturesOf(sheet.extraction).length;
    const which = many > 1 ? `${number + 1} of ${many}` : "";
    const words = [[which, this.name].filter(Boolean).join(": "), `${info.width} × ${info.height} pixels`].filter(Boolean);
    if (number === 0 && sheet.extraction.caption) words.unshift(sheet.extraction.caption);
    this.element = el("figure", {}, this.stage, el("figcaption", {}, words.join(" · ")));
    this.hands = sheet.editable ? new Boxes(this) : null;
  }

  #image() {
    const url = this.sheet.media.images?.[this.number];
    const missing = el("p", { class: "missing" }, "The picture is not at hand. Boxes lie where it would be.");
    if (!url) return missing;
    const image = el("img", { src: url, alt: `The picture ${this.name}`.trim(), draggable: "false" });
    image.addEventListener("error", () => image.replaceWith(missing));
    return image;
  }

  /** [entity, number of the entity, region, number of the region] of all in this picture, large ones first. */
  regions() {
    const found = this.sheet.extraction.entities.flatMap((entity, i) =>
      (entity.regions ?? []).map((region, place) => [entity, i, region, place]));
    const area = ([, , { box: [x1, y1, x2, y2] }]) => (x2 - x1) * (y2 - y1);
    return found.filter(([, , region]) => (region.image ?? 0) === this.number).sort((a, b) => area(b) - area(a));
  }

  update() {
    const regions = this.regions();
    fill(this.masks, regions.map(([entity, i, region]) => this.#mask(entity, i, region)));
    fill(this.boxes, regions.map((each) => this.#box(...each)));
    this.armed(this.sheet.drawing);
  }

  /** Be ready for a box of an entity to be drawn; null for none. */
  armed(id) {
    this.stage.classList.toggle("drawing", id !== null);
    this.stage.setAttribute("tabindex", id === null ? "-1" : "0");
    const name = id === null ? "" : `The picture: press Enter for a box of ${this.sheet.entity(id).text} in the middle`;
    if (name) this.stage.setAttribute("aria-label", name);
    else this.stage.removeAttribute("aria-label");
    this.stage.setAttribute("role", id === null ? "presentation" : "application");
  }

  #mask(entity, i, region) {
    if (!region.mask) return null;
    const known = this.#masks.get(region.mask);
    const made = known?.i === i ? known.made : painted(region.mask, colour(i));
    this.#masks.set(region.mask, { i, made });
    if (!made) return null;
    const { canvas, ...place } = made;
    canvas.className = "mask";
    canvas.dataset.entity = entity.id;
    for (const [name, value] of Object.entries(place)) canvas.style.setProperty(name, `${100 * value}%`);
    return canvas;
  }

  #box(entity, i, region, place) {
    const { editable } = this.sheet;
    const edges = region.box.map((edge) => Math.round(edge)).join(", ");
    const how = editable ? "; arrow keys move it, with Shift they resize it, Delete removes it" : "";
    return el(
      "div",
      {
        class: editable ? "box movable" : "box",
        "data-entity": entity.id,
        "data-place": place,
        "data-key": `box:${entity.id}:${place}`,
        tabindex: "0",
        role: editable ? "application" : "button",
        "aria-roledescription": "box",
        "aria-label": `${i + 1} ${entity.text}: ${edges}${how}`,
        style: { ...paint(i), ...placedAt(region.box, this.info) },
        onkeydown: (event) => event.key === "Enter" && this.sheet.focus(`name:${entity.id}`),
      },
      el("span", { class: "tag", "aria-hidden": "true" }, String(i + 1), el("bdi", { class: "tag-name" }, entity.text)),
      editable && ["nw", "n", "ne", "e", "se", "s", "sw", "w"].map((edge) => el("span", { class: `handle ${edge}`, "data-edge": edge })),
    );
  }
}

// The video, with the box that each track has at the time that is shown.

import { paint } from "./colours.js";
import { el, fill } from "./dom.js";
import { nameOf, placedAt } from "./places.js";
import { Player } from "./player.js";

/** What a track has at a time: the last frame before it, if the next is not long overdue. */
export function framesAt(track, time) {
  const last = track.findLast((frame) => frame.time <= time + 0.001);
  if (!last) return [];
  const gap = track.reduce((most, frame, i) => Math.max(most, i ? frame.time - track[i - 1].time : 0.1), 0.1);
  return time - last.time <= gap + 0.001 ? track.filter((frame) => frame.index === last.index) : [];
}

export class Film {
  constructor(sheet) {
    this.sheet = sheet;
    sheet.film = this;
    const info = sheet.extraction.video;
    this.info = info;
    this.time = 0;
    this.boxes = el("div", { class: "boxes", "aria-hidden": "true" });
    const url = sheet.media.video;
    this.video = url ? el("video", { src: url, controls: true, playsinline: true, preload: "metadata", "aria-label": "The video" }) : null;
    this.element = el("figure", {},
      el("div", { class: "stage film", style: { "--ratio": String(info.width / info.height) } },
        this.video ?? el("p", { class: "missing" }, "The video is not at hand."), this.boxes),
      el("figcaption", {}, [nameOf(null, info.source), `${info.width} × ${info.height} pixels, ${info.seconds.toFixed(1)} s`].filter(Boolean).join(" · ")));
    this.player = this.video && new Player(this.video, (time, playing) => this.#show(time, playing));
  }

  update() {
    this.#show(this.time, false);
  }

  play(from, to) {
    this.player?.play(from, to);
  }

  seek(time) {
    this.play(time, time);
    if (!this.player) this.#show(time, false);
  }

  #show(time, playing) {
    this.time = time;
    this.heard?.(time, playing);
    fill(this.boxes, this.sheet.extraction.entities.map((entity, i) => {
      return framesAt(entity.track ?? [], time).map(({ region }) =>
        el("div", { class: "box", "data-entity": entity.id, style: { ...paint(i), ...placedAt(region.box, this.info) } },
          el("span", { class: "tag" }, String(i + 1), el("bdi", { class: "tag-name" }, entity.text))));
    }));
  }
}

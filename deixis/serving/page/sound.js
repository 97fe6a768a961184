// Sound: when each entity is heard, and what was said. What is clicked is played.

import { paint } from "./colours.js";
import { button, clock, el, fill, roving } from "./dom.js";
import { percent } from "./places.js";
import { Player } from "./player.js";

const MOST_WORDS = 3000; // more than an hour of speech makes a page slow

export class Sound {
  constructor(sheet, film) {
    this.sheet = sheet;
    const { audio, video, transcript } = sheet.extraction;
    this.seconds = (audio ?? video).seconds || 1;
    const url = audio ? sheet.media.audio : null;
    this.audio = url ? el("audio", { src: url, controls: true, preload: "metadata", "aria-label": "The sound" }) : null;
    this.player = this.audio ? new Player(this.audio, (time, playing) => this.#heard(time, playing)) : audio ? null : film;
    if (!audio && film) film.heard = (time, playing) => this.#heard(time, playing);
    this.head = el("div", { class: "playhead" });
    this.lanes = el("div", { class: "lanes" });
    this.words = this.#said(transcript?.words ?? []);
    this.element = el("div", { class: "sound" }, el("h3", {}, audio ? "Sound" : "Sound of the video"),
      this.audio ?? (audio && el("p", { class: "faint" }, "The sound is not at hand.")), this.lanes, this.words);
  }

  play(from, to) {
    this.player?.play(from, to);
  }

  update() {
    const lanes = this.sheet.extraction.entities.flatMap((entity, i) => {
      if (!entity.spans?.length) return [];
      const bars = entity.spans.map((span) => button("", () => this.play(span.start, span.end), {
        class: "bar", "data-from": span.start, "data-to": span.end, "data-entity": entity.id, "data-key": `bar:${entity.id}:${span.start}`,
        "aria-label": `Play ${entity.text}, ${clock(span.start)} to ${clock(span.end)}`, title: `${clock(span.start)} to ${clock(span.end)}`,
        style: { ...paint(i), left: percent(span.start, this.seconds), width: percent(Math.min(span.end, this.seconds) - span.start, this.seconds) },
      }));
      return [el("div", { class: "lane" }, el("span", { class: "lane-name" }, `${i + 1} `, el("bdi", {}, entity.text)), el("div", { class: "bars" }, bars))];
    });
    fill(this.lanes, lanes, lanes.length > 0 && el("div", { class: "lane over", "aria-hidden": "true" }, el("span", { class: "lane-name" }), el("div", { class: "bars" }, this.head)));
    this.parts = [...this.element.querySelectorAll("[data-from]")];
  }

  #said(words) {
    if (!words.length) return null;
    const shown = words.slice(0, MOST_WORDS).map((word, i) => [
      button(word.text, () => this.play(word.start, word.end), { class: "word", tabindex: i ? "-1" : "0", "data-from": word.start, "data-to": word.end, title: clock(word.start) }), " ",
    ]);
    const made = el("p", { class: "spoken", role: "group", "aria-label": "What was said; arrow keys go from word to word", lang: "", dir: "auto" }, shown,
      words.length > MOST_WORDS && el("span", { class: "faint" }, `and ${words.length - MOST_WORDS} more words`));
    roving(made, ".word");
    return made;
  }

  #heard(time, playing) {
    this.head.style.setProperty("left", percent(Math.min(time, this.seconds), this.seconds));
    for (const part of this.parts ?? [])
      part.classList.toggle("now", playing && Number(part.dataset.from) <= time && time < Number(part.dataset.to));
  }
}

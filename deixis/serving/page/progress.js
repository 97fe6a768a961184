// The nodes of the graph as they start and end.

import { el, fill } from "./dom.js";

const QUIET = 4000; // milliseconds between two things that are read out

export class Progress {
  #nodes = new Map();
  #told = -QUIET;

  constructor(root, nodes) {
    this.list = el("ol", { class: "nodes", "aria-label": "Steps" });
    this.live = el("p", { class: "hidden", role: "status" });
    fill(root, this.live, this.list);
    this.start(nodes);
  }

  start(nodes) {
    this.#nodes = new Map(nodes.map((name) => [name, { name, running: 0, done: 0, seconds: 0, detail: "" }]));
    this.#show();
  }

  /** An event of a node: {node, event: "start" | "end", seconds, detail}. */
  node({ node, event, seconds, detail }) {
    const known = this.#nodes.get(node) ?? { name: node, running: 0, done: 0, seconds: 0, detail: "" };
    this.#nodes.set(node, known);
    if (event === "start") known.running += 1;
    else {
      known.running = Math.max(0, known.running - 1);
      known.done += 1;
      known.seconds = Math.max(known.seconds, seconds ?? 0); // members of a committee run side by side
      known.detail = detail ? String(detail) : known.detail;
    }
    this.#show();
    this.#tell();
  }

  /** Say how it ended. */
  ended(words) {
    this.live.textContent = words;
  }

  #tell() {
    const now = performance.now();
    if (now - this.#told < QUIET) return;
    this.#told = now;
    const all = [...this.#nodes.values()];
    const running = all.filter((each) => each.running).map((each) => each.name);
    this.live.textContent = `${all.filter((each) => each.done && !each.running).length} of ${all.length} steps done${running.length ? `; at work: ${running.join(", ")}` : ""}`;
  }

  #show() {
    fill(this.list, [...this.#nodes.values()].map((each) => {
      const state = each.running ? "start" : each.done ? "end" : "waiting";
      const [mark, words] = { start: ["●", "at work"], end: ["✓", "done"], waiting: ["○", "waiting"] }[state];
      const took = each.done ? `${each.seconds.toFixed(1)} s` : "";
      const times = each.done + each.running > 1 ? ` ×${each.done + each.running}` : "";
      return el("li", { "data-node": each.name, "data-state": state }, el("span", { class: "mark", "aria-hidden": "true" }, mark),
        `${each.name}${times}`, el("span", { class: "hidden" }, words), took && el("span", { class: "number" }, took),
        each.detail && el("span", { class: "detail", title: each.detail }, each.detail));
    }));
  }
}

// The list of rows: chosen, ordered, a hundred at a time.

import { send } from "./api.js";
import { button, el, fill, labelled, select } from "./dom.js";

const PAGE = 100;
const STATES = [["open", "Open"], ["all", "All"], ["mine", "Decided by me"], ["skipped", "Skipped by me"], ["others", "Decided by others"], ["done", "Decided by anybody"], ["nobody", "Decided by nobody"]];
const WORDS = { accepted: "✓ accepted", corrected: "✎ corrected", skipped: "↷ skipped" };

export class Rows {
  #rows = [];
  #offset = 0;
  #total = 0;
  #asked = 0;

  constructor({ filters, list, pages }, about, { reviewer, open, failed }) {
    Object.assign(this, { list, pages, about, reviewer, open, failed });
    const given = new URLSearchParams(location.hash.slice(1));
    this.wanted = Number(given.get("row")) || null;
    this.state = select(STATES, given.get("state") ?? "open", { onchange: () => this.again() });
    const orders = [["file", "As in the file"], ["uncertain", "Uncertain first"], ["disagreement", about.compared ? "Where the runs differ" : "Where votes differ"]];
    this.order = select(orders, given.get("order") ?? "file", { onchange: () => this.again() });
    this.type = select([["", "Any type"], ...about.types.map(({ type, rows }) => [type, `${type} (${rows})`])], given.get("type") ?? "", { onchange: () => this.again() });
    this.failed_ = el("input", { type: "checkbox", checked: given.has("failed"), onchange: () => this.again() });
    let waiting = null;
    this.text = el("input", { id: "search", type: "text", autocomplete: "off", value: given.get("text") ?? "", oninput: () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.again(), 250);
    } });
    fill(filters, labelled("Which", this.state), labelled("Order", this.order), labelled("Type", this.type), labelled("Words", this.text),
      el("label", { class: "check wide" }, this.failed_, "Failed, or with warnings"));
  }

  get #query() {
    const query = new URLSearchParams({ state: this.state.value, order: this.order.value });
    if (this.type.value) query.set("type", this.type.value);
    if (this.text.value.trim()) query.set("text", this.text.value.trim());
    if (this.failed_.checked) query.set("failed", "true");
    return query;
  }

  /** What stands behind # in the address, so that a page that is loaded again shows the same. */
  hash(n) {
    const query = this.#query;
    query.set("row", n);
    return `#${query}`;
  }

  /** The row to begin with: that of the address, else the first. */
  get first() {
    return this.wanted ?? this.#rows[0]?.n ?? null;
  }

  async again() {
    await this.load(0).catch(this.failed);
  }

  async load(offset = this.#offset) {
    const mine = (this.#asked += 1);
    const query = this.#query;
    query.set("reviewer", this.reviewer());
    query.set("offset", offset);
    query.set("limit", PAGE);
    const { total, rows } = await (await send(`/v1/review/rows?${query}`)).json();
    if (mine !== this.#asked) return;
    this.#rows = rows;
    this.#offset = offset;
    this.#total = total;
    this.#show();
  }

  #show() {
    fill(this.list, this.#rows.map((row) => this.#item(row)), this.#rows.length === 0 && el("li", { class: "none faint" }, "No such rows"));
    const last = this.#offset + this.#rows.length;
    const turn = (by) => this.load(this.#offset + by * PAGE).then(() => this.#rows[0] && this.open(this.#rows[0].n)).catch(this.failed);
    fill(this.pages, el("span", { class: "number" }, this.#total ? `${this.#offset + 1} to ${last} of ${this.#total}` : ""),
      this.#offset > 0 && button("Page before", () => turn(-1), { class: "quiet" }), last < this.#total && button("Next page", () => turn(1), { class: "quiet" }));
    this.mark(this.current);
  }

  #item({ n, id, text, error, warnings, certainty, verdict, others }) {
    const about = [`${n}`, error ? "failed" : `certainty ${certainty.toFixed(2)}`, warnings && `${warnings} warnings`, others && `${others} by others`].filter(Boolean).join(" · ");
    return el("li", {}, button([el("span", {}, el("bdi", {}, text || error || id)), el("span", { class: "meta" }, about, verdict && [" · ", el("b", { "data-verdict": verdict }, WORDS[verdict])])],
      () => this.open(n), { "data-row": String(n) }));
  }

  /** Show which row is open. */
  mark(n) {
    this.current = n;
    for (const each of this.list.querySelectorAll("[data-row]")) {
      const here = Number(each.dataset.row) === n;
      each.setAttribute("aria-current", String(here));
      if (here) each.scrollIntoView({ block: "nearest" });
    }
  }

  /** The row that stands so many after one in the list; null if there is none. */
  async beside(n, by) {
    const here = this.#rows.findIndex((each) => each.n === n);
    const to = here < 0 ? 0 : here + by;
    if (this.#rows[to]) return this.#rows[to].n;
    const offset = this.#offset + Math.sign(by) * PAGE;
    if (to < 0 ? this.#offset === 0 : this.#offset + to >= this.#total) return null;
    await this.load(Math.max(0, offset));
    return (by > 0 ? this.#rows[0] : this.#rows.at(-1))?.n ?? null;
  }

  /** The row after one that was decided, which may be in the list no more. */
  async after(n, verdict) {
    const here = this.#rows.findIndex((each) => each.n === n);
    if (here >= 0) this.#rows[here].verdict = verdict;
    const next = this.#rows[here + 1]?.n ?? null;
    if (this.state.value === "open" && here >= 0 && next === null) {
      await this.load(0); // what was decided is no longer among them
      return this.#rows[0]?.n ?? null;
    }
    this.#show();
    return next ?? this.beside(n, 1);
  }
}

// The page where a file of results is reviewed: a list of rows, one row to accept or correct.

import { Problem, blobUrl, send } from "./api.js";
import { button, el, fill, fold } from "./dom.js";
import { dropEntity, picturesOf } from "./edit.js";
import { Rows } from "./rows.js";
import { reviewerDialog } from "./reviewer.js";
import { Sheet } from "./view.js";

const at = (id) => document.getElementById(id);
const KEPT = "deixis.reviewer";
const MOST = 300; // seconds that count for one row: who goes away is not slow

class Review {
  #sheet = null;
  #row = null;
  #urls = [];
  #opening = 0; // the number of the request whose row is wanted: earlier ones come too late
  #began = 0;
  #chosen = null; // the id of the entity that keys are of

  async start() {
    const kept = localStorageOf(KEPT);
    this.about = await this.#asked("");
    if (this.about.reviewer === null && kept) this.about = await this.#asked(kept);
    this.reviewer = this.about.reviewer ?? kept;
    if (!this.reviewer) await this.#rename();
    document.title = `Review: ${this.about.results}`;
    this.rows = new Rows({ filters: at("filters"), list: at("rows"), pages: at("pages") }, this.about, {
      reviewer: () => this.reviewer, open: (n) => this.open(n), failed: (error) => this.tell(error),
    });
    this.#head();
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("beforeunload", (event) => this.#dirty && event.preventDefault());
    await this.rows.load();
    const first = this.rows.first;
    if (first) await this.open(first);
    else this.#nothing();
  }

  #asked(reviewer) {
    return send(`/v1/review?reviewer=${encodeURIComponent(reviewer)}`).then((answer) => answer.json());
  }

  async #rename() {
    const name = await reviewerDialog(this.reviewer);
    if (!name || name === this.reviewer) return;
    this.reviewer = name;
    try {
      localStorage.setItem(KEPT, name);
    } catch {
      // then it is asked for again next time
    }
  }

  get #dirty() {
    return Boolean(this.#sheet?.changed) && this.#sheet.extraction !== this.kept;
  }

  #head() {
    const { about } = this;
    const mine = about.reviewers.find((each) => each.name === this.reviewer) ?? {};
    const done = (mine.accepted ?? 0) + (mine.corrected ?? 0);
    const skipped = mine.skipped ?? 0;
    const all = about.rows - about.failed;
    at("what").textContent = about.results;
    const change = about.reviewer === null && button("Change", async () => {
      if (!this.#leave()) return;
      await this.#rename();
      await this.#refresh();
      if (this.#row) await this.open(this.#row.n, true);
    }, { class: "quiet" });
    fill(at("who"), "Reviewer: ", el("bdi", {}, this.reviewer), " ", change);
    fill(at("progress"), el("progress", { max: String(all || 1), value: String(done), "aria-label": "Rows that you have decided" }),
      el("span", { class: "number" }, `${done} of ${all}${skipped ? `, ${skipped} skipped` : ""}`));
  }

  async #refresh() {
    this.about = await this.#asked(this.reviewer);
    this.#head();
    await this.rows.load();
  }

  #nothing() {
    this.#clear();
    at("result-title").textContent = "No row";
    at("note").textContent = "There is no such row: choose others on the left.";
  }

  /** Whether what is on the page may be left. */
  #leave() {
    return !this.#dirty || confirm("The corrections to this row are not kept. Go on without them?");
  }

  #clear() {
    this.#sheet?.destroy();
    this.#sheet = this.#row = this.#chosen = this.kept = null;
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    fill(at("tools"));
    fill(at("verdict"));
    fill(at("trouble"));
    fill(at("differences"));
    fill(at("result"));
  }

  async open(n, sure = false) {
    if (!sure && !this.#leave()) return;
    const mine = (this.#opening += 1);
    try {
      const row = await (await send(`/v1/review/rows/${n}?reviewer=${encodeURIComponent(this.reviewer)}`)).json();
      const [media, troubles] = row.extraction ? await this.#media(row) : [{}, []];
      if (mine !== this.#opening) {
        for (const url of [...(media.images ?? []), media.audio, media.video]) if (url) URL.revokeObjectURL(url);
        return;
      }
      this.#show(row, media, troubles);
    } catch (error) {
      if (mine === this.#opening) this.tell(error);
    }
  }

  async #media({ n, extraction }) {
    const troubles = [];
    const get = (kind, place) => blobUrl(`/v1/review/rows/${n}/media/${kind}/${place}`).catch((error) => {
      if (!(error instanceof Problem)) throw error;
      troubles.push(error.message);
      return null;
    });
    const images = await Promise.all(picturesOf(extraction).map((_, i) => get("image", i)));
    const audio = extraction.audio ? await get("audio", 0) : null;
    const video = extraction.video ? await get("video", 0) : null;
    return [{ images, audio, video }, troubles];
  }

  #show(row, media, troubles) {
    this.#clear();
    this.#row = row;
    this.#urls = [...(media.images ?? []), media.audio, media.video].filter(Boolean);
    this.#began = Date.now();
    at("note").textContent = "";
    at("result-title").textContent = `Row ${row.n}: ${row.id}`;
    this.rows.mark(row.n);
    history.replaceState(null, "", this.rows.hash(row.n));
    const said = [...(row.error ? [row.error] : []), ...troubles];
    fill(at("trouble"), said.map((words) => el("p", { class: "problem" }, words)));
    if (!row.extraction) {
      at("note").textContent = "There is nothing to review here: run the row again.";
      return;
    }
    const extraction = row.mine?.extraction ?? row.extraction;
    this.#sheet = new Sheet(at("result"), { extraction, media, schema: this.about.schema, editable: true, place: at("tools") });
    this.#sheet.addEventListener("change", () => this.#buttons());
    if (row.differences?.length) fill(at("differences"), fold(`The other run differs in ${row.differences.length}`, () => this.#apart(row.differences), { open: true }));
    this.#buttons();
    at("result-title").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  #apart(differences) {
    const side = (one) => (one ? `${one.type}, ${one.boxes === null ? "undecided" : one.boxes.length ? `boxes ${one.boxes.map((box) => box.map(Math.round).join(" ")).join("; ")}` : "not to be seen"}` : "no mention");
    return el("ul", {}, differences.map((each) => el("li", {}, el("bdi", {}, each.text), ` (${Object.keys(each.kinds).join(", ")}): here ${side(each.first)}; there ${side(each.second)}`)));
  }

  #buttons() {
    const { mine, others } = this.#row;
    const now = this.#corrected ? "Keep the correction" : "Accept";
    const states = [mine && `You have ${mine.verdict} it.`, others.length && `${others.length} ${others.length === 1 ? "other has" : "others have"} reviewed it.`];
    fill(at("verdict"), button([now, " ", el("kbd", {}, "A")], () => this.keep(), { class: "first", id: "accept" }),
      button(["Skip ", el("kbd", {}, "S")], () => this.skip(), { id: "skip" }),
      button(["Before ", el("kbd", {}, "K")], () => this.go(-1)), button(["Next ", el("kbd", {}, "J")], () => this.go(1)),
      el("span", { class: "faint" }, states.filter(Boolean).join(" ")));
  }

  get #corrected() {
    return this.#sheet.extraction !== this.#row.extraction && (this.#sheet.changed || Boolean(this.#row.mine?.extraction));
  }

  keep() {
    return this.#corrected ? this.#say("corrected", this.#sheet.extraction) : this.#say("accepted", null);
  }

  skip() {
    return this.#leave() ? this.#say("skipped", null) : null;
  }

  async #say(verdict, extraction) {
    if (this.busy || !this.#row?.extraction) return;
    this.busy = true;
    const row = this.#row;
    const json = { reviewer: this.reviewer, verdict, version: row.mine?.version ?? null, seconds: Math.min(MOST, (Date.now() - this.#began) / 1000) };
    if (extraction) json.extraction = extraction;
    try {
      const told = await (await send(`/v1/review/rows/${row.n}`, { method: "PUT", json })).json();
      row.mine = { verdict: told.verdict, version: told.version };
      this.kept = this.#sheet.extraction;
      this.about = await this.#asked(this.reviewer);
      this.#head();
      const next = await this.rows.after(row.n, told.verdict);
      if (next) await this.open(next, true);
      else at("note").textContent = `Row ${row.n}: ${told.verdict}. That was the last one of this list.`;
      if (next) at("note").textContent = `Row ${row.n}: ${told.verdict}.`;
      else this.#buttons();
    } catch (error) {
      this.tell(error);
    } finally {
      this.busy = false;
    }
  }

  async go(by) {
    const n = await this.rows.beside(this.#row?.n, by);
    if (n) await this.open(n);
    else at("note").textContent = by > 0 ? "That was the last row of this list." : "That was the first row of this list.";
  }

  #key(event) {
    const { target } = event;
    const typing = target.closest("textarea, input:not([type=radio]):not([type=checkbox]), select") || document.querySelector("dialog[open]");
    if (event.key === "Escape" && target.closest("input, select, textarea") && !document.querySelector("dialog[open]")) return at("result-title").focus();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const entities = this.#sheet?.extraction.entities ?? [];
    const of = this.#entityOf(target);
    const key = event.key.toLowerCase();
    const keyed = {
      a: () => this.keep(), s: () => this.skip(), j: () => this.go(1), n: () => this.go(1), k: () => this.go(-1), p: () => this.go(-1),
      "/": () => at("search").focus(), "?": () => this.#keys(),
      t: () => of && this.#sheet.focus(`type:${of}`),
      v: () => of && ["yes", "no", "undecided"].some((each) => target.ownerDocument.querySelector(`[data-key="seen:${CSS.escape(of)}:${each}"]:checked`) && this.#sheet.focus(`seen:${of}:${each}`)),
      b: () => of && picturesOf(this.#sheet.extraction).length && this.#sheet.draw(of),
      x: () => of && this.#drop(of),
    }[key] ?? (/^[1-9]$/.test(key) && entities[Number(key) - 1] ? () => this.#choose(entities[Number(key) - 1].id) : null);
    if (!keyed) return;
    event.preventDefault();
    keyed();
  }

  #choose(id) {
    this.#chosen = id;
    this.#sheet.focus(`name:${id}`);
  }

  #entityOf(target) {
    const id = target.closest?.("#result [data-entity]")?.dataset.entity ?? this.#chosen;
    return this.#sheet?.entity(id) ? id : null;
  }

  #drop(id) {
    const { text } = this.#sheet.entity(id);
    this.#sheet.edit(dropEntity(this.#sheet.extraction, id), `${text} removed`);
  }

  #keys() {
    at("keys").open = !at("keys").open;
    at("keys").querySelector("summary").focus();
    at("keys").scrollIntoView({ block: "nearest" });
  }

  /** Say what went wrong. */
  tell(error) {
    if (!(error instanceof Problem)) console.error(error);
    const { title = "Something went wrong on this page", detail = error.message } = error;
    fill(at("trouble"), el("div", { class: "problem", role: "alert" }, el("strong", {}, title), detail));
  }
}

function localStorageOf(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage may be switched off
  }
}

const review = new Review();
review.start().catch((error) => review.tell(error));

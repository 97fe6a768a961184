// What is kept: the corrected post as a gold row, all rows of the session in a file, the result.

import { gold } from "./api.js";
import { button, el, fill, labelled } from "./dom.js";
import { seenAs } from "./edit.js";
import { fileName } from "./places.js";

const KEPT = "deixis.rows";

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

/** Have the browser put a text into a file. */
export function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export class Saving {
  /** `appends` says whether the server adds each row to a file, `failed` is told of problems. */
  constructor(root, appends, failed) {
    this.appends = appends;
    this.failed = failed;
    this.rows = kept();
    this.id = el("input", { type: "text", autocomplete: "off", spellcheck: "false", required: true });
    this.save = el("button", { type: "submit", class: "first" }, "Save as a gold row");
    this.all = button("", () => download("gold.jsonl", this.rows.map((row) => `${JSON.stringify(row)}\n`).join(""), "application/jsonl"));
    this.result = button("Download the result (JSON)", () => download(`${this.id.value || "extraction"}.json`, `${JSON.stringify(this.sheet.extraction, null, 2)}\n`, "application/json"));
    this.note = el("p", { role: "status" });
    fill(root, el("form", { class: "row", onsubmit: (event) => this.#submit(event) }, labelled("Id of the row", this.id), this.save), el("p", { class: "act" }, this.all, this.result), this.note);
    this.#show();
  }

  /** Whether what is on the page was saved as it is. */
  get kept() {
    return this.saved === this.sheet?.extraction;
  }

  /** Of this sheet; `media` is what was sent: [[field, File or URL], ...], `task` what was looked for. */
  of(sheet, media, task = []) {
    this.sheet = sheet;
    this.task = task.length === 1 ? { task: task[0] } : {}; // a row has one
    this.media = media;
    const [first] = media;
    this.stem = first ? fileName(first[1] instanceof Blob ? first[1].name || "pasted" : first[1]).replace(/\.[^.]*$/, "") : "text";
    this.saved = null;
    this.note.textContent = "";
    this.#name();
    sheet.addEventListener("change", () => {
      this.note.textContent = "";
      // What is in a file stays there: a row saved again is another one. Here it takes its place.
      if (this.appends && this.saved) this.#name();
    });
  }

  /** Propose an id that no row of this session has. */
  #name() {
    const taken = new Set(this.rows.map((row) => row.id));
    this.id.value = this.stem;
    for (let again = 2; taken.has(this.id.value); again += 1) this.id.value = `${this.stem}-${again}`;
  }

  async #submit(event) {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    try {
      const id = this.id.value.trim();
      const { extraction } = this.sheet;
      const { row, saved } = await gold({ id, extraction, ...this.task }, this.media);
      this.saved = extraction;
      this.rows = [...this.rows.filter((each) => each.id !== row.id), row];
      try {
        sessionStorage.setItem(KEPT, JSON.stringify(this.rows));
      } catch {
        // more than the browser keeps: the rows stay until the page is left
      }
      const open = extraction.entities.filter((each) => seenAs(each) === "undecided").length;
      const undecided = open ? ` ${open} ${open === 1 ? "entity is" : "entities are"} undecided: of those the row says that nobody could tell.` : "";
      this.note.textContent = `${saved ? "Saved." : "Made: the server keeps no file, so download the rows."}${undecided}`;
      this.#show();
    } catch (error) {
      this.failed(error);
    } finally {
      this.busy = false;
    }
  }

  #show() {
    const { length } = this.rows;
    this.all.textContent = `Download ${length} gold ${length === 1 ? "row" : "rows"} (JSONL)`;
    this.all.hidden = !length;
  }
}

// What is asked: a post, and how it is to be worked on.

import { button, el, fill, labelled, select } from "./dom.js";
import { Media } from "./media.js";

const TASKS = [["ner", "entities"], ["re", "relations"], ["ee", "events"]];

/** Sends "run" when it is submitted; `fields` and `media` are then what goes to the server. */
export class Form extends EventTarget {
  constructor(root, offers) {
    super();
    this.offers = offers;
    this.media = new Media();
    this.text = el("textarea", { spellcheck: "false", dir: "auto", placeholder: "Grace Hopper of the US Navy" });
    this.caption = el("input", { type: "text", autocomplete: "off" });
    this.mentions = el("textarea", { spellcheck: "false", rows: "3", placeholder: "Grace Hopper | PER", oninput: () => this.mentions.setCustomValidity("") });
    const { stack } = offers.default;
    this.stack = select(offers.stacks.map((each) => each.name), stack, { onchange: () => this.#ofStack() });
    this.graph = select([], "", { onchange: () => this.#ofGraph() });
    this.schema = select(offers.schemas.map((each) => each.name), offers.default.schema, {});
    this.about = el("p", { class: "faint about" });
    this.tasks = el("fieldset", { class: "tasks" }, el("legend", {}, "Look for"),
      TASKS.map(([value, words]) => el("label", {}, el("input", { type: "checkbox", value, checked: value === "ner" }), words)));
    this.run = el("button", { type: "submit", class: "first", "aria-keyshortcuts": "Control+Enter" }, "Run");
    this.stop = button("Stop", () => this.dispatchEvent(new Event("stop")), { hidden: true });
    this.more = el("details", {}, el("summary", {}, "More: a description, names that you know"), el("div", { class: "inside words" },
      labelled("A description of the picture, if you have one", this.caption),
      labelled("Names in the text, one a line, each with its type: then no others are looked for", this.mentions)));
    this.form = el("form", { class: "ask", onsubmit: (event) => this.#submit(event), onkeydown: (event) => this.#key(event) },
      el("div", { class: "parts" }, this.media.element,
        el("div", { class: "words" }, labelled("Text", this.text), this.tasks, this.more,
          el("div", { class: "row" }, labelled("Stack", this.stack), labelled("Graph", this.graph), labelled("Types", this.schema)), this.about,
          el("div", { class: "act" }, this.run, this.stop))));
    fill(root, this.form);
    this.#ofStack();
    addEventListener("paste", (event) => this.#pasted(event));
  }

  /** Whether it is at work: then it can be stopped, and not run again. */
  set busy(busy) {
    this.run.setAttribute("aria-disabled", String(busy));
    this.run.textContent = busy ? "At work …" : "Run";
    this.stop.hidden = !busy;
    this.isBusy = busy;
  }

  get #chosen() {
    return this.offers.graphs.find((each) => each.name === this.graph.value) ?? { takes: [], about: "" };
  }

  /** The nodes of the graph that is chosen. */
  get nodes() {
    return this.#chosen.nodes ?? [];
  }

  /** The type schema that is chosen, as GET /v1/graphs has it. */
  get types() {
    return this.offers.schemas.find((each) => each.name === this.schema.value) ?? null;
  }

  #ofStack() {
    const stack = this.offers.stacks.find((each) => each.name === this.stack.value);
    const names = stack?.graphs ?? this.offers.graphs.map((each) => each.name);
    const own = stack?.graph ?? this.offers.default.graph;
    fill(this.graph, names.map((name) => el("option", { value: name, selected: name === own }, name)));
    if (stack?.schema) this.schema.value = stack.schema;
    this.#ofGraph();
  }

  #ofGraph() {
    const { takes, about } = this.#chosen;
    const stack = this.offers.stacks.find((each) => each.name === this.stack.value);
    const told = [[stack?.name, stack?.description], [this.graph.value, about]].filter(([, words]) => words);
    fill(this.about, told.map(([name, words]) => el("span", {}, el("strong", {}, name), `: ${words}`)));
    this.tasks.hidden = !takes.includes("task");
    this.media.takes = ["image", ...takes.filter((each) => ["images", "audio", "video"].includes(each))];
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || this.isBusy) return;
    event.preventDefault();
    this.media.add(files);
  }

  #key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  #named() {
    const lines = this.mentions.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (!lines.length) return null;
    const parts = lines.map((line) => [line.slice(0, line.lastIndexOf("|")).trim(), line.slice(line.lastIndexOf("|") + 1).trim()]);
    const wrong = lines.findIndex((line, i) => !line.includes("|") || !parts[i][0] || !parts[i][1]);
    if (wrong < 0) return parts.map(([text, type]) => ({ text, type }));
    this.more.open = true;
    this.mentions.setCustomValidity(`Line ${wrong + 1} has no type: write it as "Grace Hopper | PER".`);
    this.mentions.reportValidity();
    return undefined;
  }

  #submit(event) {
    event.preventDefault();
    if (this.isBusy) return;
    const mentions = this.#named();
    if (mentions === undefined) return;
    const fields = { text: this.text.value, stack: this.stack.value, graph: this.graph.value, schema: this.schema.value };
    if (this.caption.value.trim()) fields.caption = this.caption.value.trim();
    if (mentions) fields.mentions = mentions;
    if (!this.tasks.hidden) fields.task = [...this.tasks.querySelectorAll(":checked")].map((each) => each.value);
    if (fields.task && !fields.task.length) delete fields.task;
    this.fields = fields;
    this.dispatchEvent(new Event("run"));
  }
}

// What is behind a result: warnings, what the models said word for word, what that took.

import { el, fill, share, table } from "./dom.js";

export class Report {
  constructor(sheet) {
    this.sheet = sheet;
    this.element = el("section", { class: "report", "aria-label": "Behind the result" });
    this.shown = null;
  }

  update() {
    const { replies = [], usage = [], warnings = [] } = this.sheet.extraction;
    if (this.shown === replies) return; // corrections change none of it
    this.shown = replies;
    const { sheet } = this;
    const count = (all, one, many) => `${all.length} ${all.length === 1 ? one : many}`;
    fill(
      this.element,
      warnings.length > 0 && el("div", { class: "warnings" }, el("h3", {}, "Warnings"),
        el("ul", {}, warnings.map(({ step, message }) => el("li", {}, el("strong", {}, step), `: ${message}`)))),
      replies.length > 0 && sheet.fold("replies", ["What the models said ", el("span", { class: "faint" }, `${count(replies, "reply", "replies")}, word for word`)], () =>
        table("Replies", ["Reply", "Role", "Model", "Asked with", "Status", "Text"], replies.map((each) => [
          each.id, each.role, each.model, each.prompt,
          each.finish_reason ? [each.status, " ", el("span", { class: "faint" }, `(${each.finish_reason})`)] : each.status,
          el("pre", {}, each.text),
        ]))),
      usage.length > 0 && sheet.fold("usage", ["What that took ", el("span", { class: "faint" }, this.#sum(usage))], () =>
        table("Usage", ["Role", "Model", "Calls", "Failed", "Retries", "From cache", "Input tokens", "Cached by provider", "Output tokens", "Seconds", "Cost"], usage.map((each) => [
          each.role, each.model,
          ...["calls", "failed", "retries", "cached", "input_tokens", "cached_input_tokens", "output_tokens"].map((name) => el("span", { class: "number" }, (each[name] ?? 0).toLocaleString("en"))),
          el("span", { class: "number" }, share(each.seconds)), each.cost === null || each.cost === undefined ? "" : Number(each.cost).toFixed(4),
        ]))),
    );
  }

  #sum(usage) {
    const of = (name) => usage.reduce((sum, each) => sum + (each[name] ?? 0), 0);
    return `${of("calls")} calls, ${(of("input_tokens") + of("output_tokens")).toLocaleString("en")} tokens`;
  }
}

// Who reviews: asked once, and kept in this browser.

import { button, el, labelled } from "./dom.js";

/** Ask for a name until there is one; `now`, if there is one already, may stay. */
export function reviewerDialog(now) {
  return new Promise((resolve) => {
    const field = el("input", { type: "text", autocomplete: "off", spellcheck: "false", required: true, maxlength: "100", pattern: ".*\\S.*", value: now ?? "" });
    const form = el("form", { method: "dialog" }, el("h2", {}, "Who reviews?"), el("p", {}, "Your name stands with every row that you decide."),
      labelled("Name", field), el("div", { class: "row" }, el("button", { class: "first" }, "Go on"), now && button("Cancel", () => box.close())));
    const box = el("dialog", { "aria-label": "Who reviews?" }, form);
    let given = now || null;
    form.addEventListener("submit", () => { given = field.value.trim(); });
    box.addEventListener("cancel", (event) => now || event.preventDefault());
    box.addEventListener("close", () => {
      if (!given) return box.showModal();
      box.remove();
      resolve(given);
    });
    document.body.append(box);
    box.showModal();
  });
}

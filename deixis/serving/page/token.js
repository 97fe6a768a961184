// The dialog that asks for the server's token.

import { button, el, labelled } from "./dom.js";

/** Ask for the token; null if nobody gives one. */
export function tokenDialog(again) {
  return new Promise((resolve) => {
    const field = el("input", { type: "password", autocomplete: "off", required: true });
    const form = el("form", { method: "dialog" },
      el("h2", {}, "This server wants a token"),
      el("p", {}, again ? "That was not the one. It stands behind --token, where the server was started." : "It stands behind --token, where the server was started. It is kept until this tab is closed."),
      labelled("Token", field),
      el("div", { class: "row" }, el("button", { class: "first" }, "Go on"), button("Cancel", () => box.close())));
    const box = el("dialog", { "aria-label": "Token" }, form);
    let given = null;
    form.addEventListener("submit", () => { given = field.value.trim(); });
    box.addEventListener("close", () => {
      box.remove();
      resolve(given || null);
    });
    document.body.append(box);
    box.showModal();
  });
}

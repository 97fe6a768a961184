// The buttons of undo and redo, and the line that says what happened.

import { button, el } from "./dom.js";

export class Tools {
  constructor(sheet) {
    this.sheet = sheet;
    this.undo = button("Undo", () => sheet.undo(), { "aria-keyshortcuts": "Control+Z", title: "Ctrl+Z", "data-key": "undo" });
    this.redo = button("Redo", () => sheet.redo(), { "aria-keyshortcuts": "Control+Shift+Z", title: "Ctrl+Shift+Z", "data-key": "redo" });
    this.element = el("div", { class: "tools", role: "group", "aria-label": "Corrections" }, this.undo, this.redo);
    this.status = el("p", { class: "status faint", role: "status" });
  }

  say(words) {
    this.status.textContent = words;
  }

  update() {
    // Not `disabled`: what has the focus would lose it with the last step that can be taken back.
    this.undo.setAttribute("aria-disabled", String(!this.sheet.canUndo));
    this.redo.setAttribute("aria-disabled", String(!this.sheet.canRedo));
  }
}

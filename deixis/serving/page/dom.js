// Elements made by code. What comes from posts, pictures, models and files gets in as text alone:
// nothing in these pages is ever parsed as HTML.

/**
 * Make an element. Attributes that are functions listen (`onclick`), true and false are set or
 * left out, null and undefined are left out, and `style` is an object of CSS properties, set one
 * by one: the policy of the page allows no style attributes. Children are nodes or text.
 */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (key === "style") for (const [of, as] of Object.entries(value)) made.style.setProperty(of, as);
    else if (key === "value") made.value = value;
    else if (key === "checked") made.checked = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...flat(children));
  return made;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Put other children into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

export const SVG = "http://www.w3.org/2000/svg";

/** A button with words on it. */
export function button(words, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, words);
}

let ids = 0;

/** An id that no other element of the page has. */
export function newId(stem) {
  ids += 1;
  return `${stem}-${ids}`;
}

/** A control with its label before it. */
export function labelled(words, control, attributes = {}) {
  const id = control.id || newId("field");
  control.id = id;
  return el("div", { class: "field", ...attributes }, el("label", { for: id }, words), control);
}

/** A select of values, each a string or [value, words]. */
export function select(values, chosen, attributes = {}) {
  const options = values.map((each) => {
    const [value, words] = Array.isArray(each) ? each : [each, each];
    return el("option", { value, selected: value === chosen }, words);
  });
  return el("select", attributes, options);
}

/** A fold with a summary; `inside` is called when it is opened first, since most never are. */
export function fold(summary, inside, { open = false, ...attributes } = {}) {
  const body = el("div", { class: "inside" });
  let made = false;
  const make = () => {
    if (!made) fill(body, inside());
    made = true;
  };
  const whole = el("details", { open, ...attributes }, el("summary", {}, summary), body);
  whole.addEventListener("toggle", () => whole.open && make());
  if (open) make();
  return whole;
}

/** A table in a box that scrolls by itself, so that a phone shows the page at its own width. */
export function table(label, heads, rows, attributes = {}) {
  return el(
    "div",
    { class: "scroll", role: "region", "aria-label": label, tabindex: "0", ...attributes },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map((cells) =>
        el("tr", {}, cells.map((cell, i) => (i ? el("td", {}, cell) : el("th", { scope: "row" }, cell)))))),
    ),
  );
}

/** A share as the other pages have it: two digits. */
export function share(value) {
  return value === null || value === undefined ? "" : Number(value).toFixed(2);
}

/** Seconds as m:ss.d */
export function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600);
  const rest = (tenths % 600) / 10;
  return `${minutes}:${rest < 10 ? "0" : ""}${rest.toFixed(1)}`;
}

/** Move the focus among items of a list by arrow keys, Home and End; one of them is a tab stop. */
export function roving(list, selector) {
  const items = () => [...list.querySelectorAll(selector)];
  const only = (one) => items().forEach((each) => each.setAttribute("tabindex", each === one ? "0" : "-1"));
  list.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item) only(item);
  });
  list.addEventListener("keydown", (event) => {
    const at = items().indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const all = items();
    const to = { ArrowUp: at - 1, ArrowLeft: at - 1, ArrowDown: at + 1, ArrowRight: at + 1,
      Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[Math.max(0, Math.min(all.length - 1, to))].focus();
  });
  return { reset: () => only(items()[0]) };
}

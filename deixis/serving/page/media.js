// Pictures, sound and video that are given: dropped, pasted, chosen or named by URL.

import { button, el, fill } from "./dom.js";

const KINDS = { image: "a picture", images: "pictures", audio: "sound", video: "a video" };

export class Media {
  #given = []; // {kind: "image" | "audio" | "video", file: File | URL string, url: to show it here}
  #takes = ["image"];

  constructor() {
    this.list = el("ul", { class: "given", "aria-label": "Given" });
    this.hint = el("p", {});
    this.note = el("p", { class: "faint", role: "status" });
    this.chooser = el("input", { type: "file", multiple: true, "aria-label": "Choose files", onchange: () => {
      this.add([...this.chooser.files]);
      this.chooser.value = ""; // so that the same file can be chosen again
    } });
    this.link = el("input", { type: "url", placeholder: "https://…", "aria-label": "Address of a picture, sound or video", onkeydown: (event) => {
      if (event.key !== "Enter" || event.ctrlKey) return;
      event.preventDefault();
      this.#linked();
    } });
    const add = button("Add", () => this.#linked());
    this.element = el("div", { class: "drop", role: "group", "aria-label": "Pictures, sound and video" }, this.list, this.hint,
      el("span", { class: "file" }, "Choose files", this.chooser), el("div", { class: "link" }, this.link, add), this.note);
    this.#drops();
    this.#show();
  }

  /** What the graph takes of image, images, audio, video: what it does not is not sent. */
  set takes(takes) {
    this.#takes = takes;
    this.chooser.accept = takes.map((each) => ({ audio: "audio/*", video: "video/*" })[each] ?? "image/*").join();
    this.#show();
  }

  /** [[field, File or URL], ...] as the server takes them. */
  get sent() {
    // The server takes the texts of a form before its files: so do we, and the order is the same.
    const linked = (each) => (each.url ? 1 : 0);
    const pictures = this.#of("image").sort((a, b) => linked(a) - linked(b));
    const one = this.#takes.includes("images") ? pictures : pictures.slice(0, 1);
    const rest = ["audio", "video"].filter((kind) => this.#takes.includes(kind)).flatMap((kind) => this.#of(kind).slice(-1));
    return [...one.map((each) => ["image", each.file]), ...rest.map((each) => [each.kind, each.file])];
  }

  #of(kind) {
    return this.#given.filter((each) => each.kind === kind);
  }

  /** Add files; what this page knows nothing of is taken for a picture, and the server decides. */
  add(files) {
    for (const file of files) {
      const kind = /^(audio|video)\//.exec(file.type)?.[1] ?? "image";
      this.#put({ kind, file, name: file.name || "pasted picture", url: URL.createObjectURL(file) });
    }
    this.#show();
  }

  #linked() {
    const given = this.link.value.trim();
    if (!given) return;
    if (!/^https?:\/\/[^/]/i.test(given) || !URL.canParse(given)) {
      this.note.textContent = "That is no address: it begins with http:// or https://.";
      this.link.focus();
      return;
    }
    const end = new URL(given).pathname.toLowerCase();
    const kind = /\.(mp3|wav|ogg|oga|flac|m4a|opus|aac)$/.test(end) ? "audio" : /\.(mp4|webm|mov|mkv|avi|m4v|ogv)$/.test(end) ? "video" : "image";
    this.#put({ kind, file: given, name: given, url: null });
    this.link.value = "";
    this.#show();
  }

  #put(medium) {
    const several = medium.kind === "image" && this.#takes.includes("images");
    if (!several) this.#of(medium.kind).forEach((old) => this.#drop(old));
    this.#given.push(medium);
  }

  #drop(medium) {
    if (medium.url) URL.revokeObjectURL(medium.url);
    this.#given = this.#given.filter((each) => each !== medium);
  }

  #show() {
    const nouns = this.#takes.filter((each) => each !== "image" || !this.#takes.includes("images")).map((each) => KINDS[each]);
    this.hint.textContent = `Drop ${nouns.join(", ").replace(/, ([^,]*)$/, " or $1")} here, or paste`;
    const left = this.#given.filter((each) => !this.sent.some(([, file]) => file === each.file));
    this.note.textContent = left.length ? `This graph takes no ${left.map((each) => each.kind === "image" ? "further picture" : KINDS[each.kind]).join(", no ")}: it stays here.` : "";
    fill(this.list, this.#given.map((medium) => this.#item(medium)));
    this.list.hidden = !this.#given.length;
  }

  #item(medium) {
    const drop = () => {
      this.#drop(medium);
      this.#show();
      this.chooser.focus();
    };
    const blank = () => el("span", { class: "medium", "aria-hidden": "true" }, { image: "▣", audio: "♪", video: "▶" }[medium.kind]);
    const shown = medium.kind === "image" && medium.url ? el("img", { src: medium.url, alt: "", onerror: () => shown.replaceWith(blank()) }) : blank();
    return el("li", {}, shown, medium.name.length > 60 ? `${medium.name.slice(0, 57)}…` : medium.name, button("Remove", drop, { class: "quiet", "aria-label": `Remove ${medium.name}` }));
  }

  #drops() {
    const { element } = this;
    const over = (on) => element.classList.toggle("over", on);
    // Anywhere on the page: what misses the box would else be opened instead of the page.
    addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    addEventListener("dragleave", (event) => event.relatedTarget || over(false));
    addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length) this.add(files);
      else if (event.dataTransfer?.getData("text/uri-list")) {
        this.link.value = event.dataTransfer.getData("text/uri-list").split("\n")[0].trim();
        this.#linked();
      }
    });
  }
}

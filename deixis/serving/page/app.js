// The page where a post is asked about, looked at, corrected and kept.

import { Problem, extract, offers, picture } from "./api.js";
import { el, fill } from "./dom.js";
import { picturesOf, placed } from "./edit.js";
import { Form } from "./form.js";
import { fileName } from "./places.js";
import { Progress } from "./progress.js";
import { Saving } from "./saving.js";
import { Sheet } from "./view.js";

const at = (id) => document.getElementById(id);
let sheet = null;
let urls = [];
let problem = null;

/** Say what went wrong, below what was asked; null for nothing. */
function tell(error) {
  problem?.remove();
  problem = null;
  if (!error) return;
  if (!(error instanceof Problem)) console.error(error);
  const { title = "Something went wrong on this page", detail = error.message, retry, id } = error;
  problem = el("div", { class: "problem", role: "alert" }, el("strong", {}, title), detail,
    retry ? ` Try again in ${retry} ${retry === 1 ? "second" : "seconds"}.` : "", id ? el("p", { class: "faint" }, `Request ${id}`) : null);
  at("ask").append(problem);
  problem.scrollIntoView({ block: "nearest" });
}

/** URLs of what was sent, for this page; pictures that the browser cannot show come from the server. */
async function shown(extraction, media) {
  urls.forEach((url) => URL.revokeObjectURL(url));
  urls = [];
  const local = (given) => {
    if (!(given instanceof Blob)) return null;
    urls.push(URL.createObjectURL(given));
    return urls.at(-1);
  };
  const of = (field) => media.filter(([name]) => name === field).map(([, given]) => given);
  const images = await Promise.all(picturesOf(extraction).map(async (info, i) => {
    const given = of("image")[i];
    if (!given) return null;
    const url = local(given);
    if (url && (await fits(url, info))) return url;
    try {
      urls.push(await picture(given));
      return urls.at(-1);
    } catch (error) {
      if (error instanceof Problem) return url; // the sheet says so if it cannot be shown
      throw error;
    }
  }));
  const names = of("image").map((given) => fileName(given instanceof Blob ? given.name || "pasted picture" : given));
  return { images, names, audio: local(of("audio")[0]), video: local(of("video")[0]) };
}

/** Whether the browser shows a picture at the size at which the graph saw it. */
async function fits(url, { width, height }) {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    return false;
  }
  return image.naturalWidth === width && image.naturalHeight === height;
}

async function start() {
  const offered = await offers();
  const form = new Form(at("ask"), offered);
  const saving = new Saving(at("saving"), offered.gold, tell);
  let stopping = null;
  form.addEventListener("stop", () => stopping?.abort());
  form.addEventListener("run", async () => {
    const { fields, types } = form;
    const media = form.media.sent;
    if (sheet?.changed && !saving.kept && !confirm("The corrections to this result are not saved. Go on without them?")) return;
    tell(null);
    form.busy = true;
    stopping = new AbortController();
    at("doing").hidden = false;
    at("doing-title").textContent = "At work";
    const progress = new Progress(at("progress"), form.nodes);
    try {
      const extraction = await extract(fields, media, {
        signal: stopping.signal,
        heard: (name, data) => (name === "start" ? progress.start(data.nodes) : name === "node" ? progress.node(data) : null),
      });
      const showing = await shown(extraction, media);
      sheet?.destroy();
      at("result-section").hidden = at("keep").hidden = false;
      sheet = new Sheet(at("result"), { extraction, media: showing, schema: types, editable: true, place: at("tools") });
      saving.of(sheet, media, fields.task);
      const seen = extraction.entities.filter(placed).length;
      progress.ended(`Done: ${extraction.entities.length} entities, ${seen} of them found in the media`);
      at("result-title").focus({ preventScroll: true });
      at("result-section").scrollIntoView({ block: "start" });
    } catch (error) {
      if (error.name === "AbortError") progress.ended("Stopped");
      else {
        progress.ended("It did not work");
        tell(error);
      }
    } finally {
      form.busy = false;
      at("doing-title").textContent = "Steps";
    }
  });
  addEventListener("beforeunload", (event) => sheet?.changed && !saving.kept && event.preventDefault());
}

start().catch((error) => {
  fill(at("ask"), "");
  tell(error);
});

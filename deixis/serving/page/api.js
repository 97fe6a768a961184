// The server's HTTP interface. A token, where the server wants one, is asked for once and kept as
// long as the tab is open.

import { eventsOf } from "./sse.js";

const TOKEN = "deixis.token";

/** What went wrong, as the server words it (RFC 9457): `title` and `detail` are for people. */
export class Problem extends Error {
  constructor({ title = "It did not work", detail = "", status = 0, request_id: id = null }, retry = null) {
    super(detail || title);
    Object.assign(this, { title, detail: typeof detail === "string" ? detail : JSON.stringify(detail), status, id, retry });
  }
}

function tokenKept() {
  try {
    return sessionStorage.getItem(TOKEN);
  } catch {
    return null; // storage may be switched off
  }
}

let token = tokenKept();

function keep(given) {
  token = given;
  try {
    sessionStorage.setItem(TOKEN, given);
  } catch {
    // then it is asked for again when the page is loaded again
  }
}

/**
 * Send a request; the answer has the status 2xx. `ask(again)` is called for a token, and returns
 * null if nobody gives one.
 */
export async function send(path, { method = "GET", json, form, signal, ask = askForToken } = {}) {
  for (let again = false; ; again = true) {
    const headers = { Accept: "application/json, text/event-stream" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (json !== undefined) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(path, { method, headers, signal, body: json === undefined ? form : JSON.stringify(json), credentials: "omit", cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem({ title: "The server cannot be reached", detail: "It may have been stopped. Start it again, then try once more." });
    }
    if (answer.ok) return answer;
    if (answer.status !== 401) throw await problemOf(answer);
    const given = await ask(again);
    if (!given) throw await problemOf(answer);
    keep(given);
  }
}

async function problemOf(answer) {
  const retry = Number(answer.headers.get("Retry-After")) || null;
  let said = {};
  try {
    said = await answer.json();
  } catch {
    // not every server between here and there words its problems
  }
  const known = said && typeof said === "object" ? said : {};
  return new Problem({ title: known.title ?? `The server answered ${answer.status}`, detail: known.detail ?? "", status: answer.status, request_id: known.request_id }, retry);
}

let asking = null;

/** Ask for the token in a dialog; several requests at once ask together. */
function askForToken(again) {
  asking ??= dialog(again).finally(() => { asking = null; });
  return asking;
}

async function dialog(again) {
  const { tokenDialog } = await import("./token.js");
  return tokenDialog(again);
}

/** What the server offers. */
export async function offers() {
  return (await send("/v1/graphs")).json();
}

/** The body of a request: JSON, or a form if there are files. `media` is [[field, File or URL], ...]. */
function body(fields, media) {
  if (!media.some(([, given]) => given instanceof Blob)) {
    const json = { ...fields };
    const pictures = media.filter(([name]) => name === "image").map(([, url]) => url);
    for (const [name, url] of media) json[name] = url;
    if (pictures.length > 1) {
      delete json.image;
      json.images = pictures;
    }
    return { json };
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(fields))
    form.append(name, typeof value === "string" ? value : JSON.stringify(value));
  for (const [name, given] of media) form.append(name, given); // "image" again for several
  return { form };
}

/** Run a graph; `heard(name, data)` is called with every event. Returns the extraction. */
export async function extract(fields, media, { signal, heard }) {
  const answer = await send("/v1/extract/stream", { method: "POST", signal, ...body(fields, media) });
  for await (const { name, data } of eventsOf(answer.body)) {
    const told = JSON.parse(data);
    if (name === "result") return told;
    if (name === "error") throw new Problem(told);
    heard(name, told);
  }
  throw new Problem({ title: "The answer broke off", detail: "The server ended before there was a result. Try again." });
}

/** A picture as the graph saw it, upright, as a URL of this page. */
export async function picture(given) {
  const answer = await send("/v1/picture", { method: "POST", ...body({}, [["image", given]]) });
  return URL.createObjectURL(await answer.blob());
}

/** A file of this server as a URL of this page: sound and video are shown from nowhere else. */
export async function blobUrl(path) {
  return URL.createObjectURL(await (await send(path)).blob());
}

/**
 * Make a gold row of what was corrected: `corrected` is {id, extraction} and maybe task, `media` is
 * [[field, File or URL], ...]. Returns {row, saved}.
 */
export async function gold(corrected, media) {
  // Pictures are matched by their order: beside one that is a URL, the others go by their hashes.
  const linked = media.some(([name, given]) => name === "image" && !(given instanceof Blob));
  const files = media.filter(([name, given]) => given instanceof Blob && !(linked && name === "image"));
  if (!files.length) return (await send("/v1/gold", { method: "POST", json: corrected })).json();
  const form = new FormData();
  form.append("body", JSON.stringify(corrected));
  for (const [name, file] of files) form.append(name, file, file.name || "pasted.png");
  return (await send("/v1/gold", { method: "POST", form })).json();
}

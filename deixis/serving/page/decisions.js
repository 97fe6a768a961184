// Who decided what, and what the committee said: tables that unfold.

import { el, share, table } from "./dom.js";

const COMMITTEE = "committee";

/** A list of lines, or the one line alone. */
export function lines(all) {
  return all.length > 1 ? el("ul", {}, all.map((line) => el("li", {}, line))) : all[0] ?? "";
}

/** What a model said, word for word, behind the id of the reply. */
function reply(sheet, id) {
  const said = (sheet.extraction.replies ?? []).find((each) => each.id === id);
  if (!said) return el("span", { class: "faint" }, `${id}: not kept`);
  return el("details", { class: "reply" }, el("summary", {}, id),
    el("p", { class: "faint" }, `${said.model} · ${said.prompt} · ${said.status}`), el("pre", { tabindex: "0", "aria-label": `Reply ${id}` }, said.text || "(nothing)"));
}

export function undecided() {
  return el("span", { class: "seen seen-undecided" }, "? undecided");
}

/** The fold of the decisions on one thing. */
export function decisionsOf(sheet, key, name, decisions) {
  if (!decisions.length) return null;
  const summary = ["Who decided ", el("span", { class: "faint" }, String(decisions.length))];
  return sheet.fold(`decided:${key}`, summary, () => table(
    `Decisions on ${name}`,
    ["Step", "About", "Outcome", "Model", "Confidence", "Evidence", "Replies"],
    decisions.map((each) => [
      each.step,
      each.subject,
      each.outcome === null || each.outcome === undefined ? undecided() : each.outcome,
      each.model ?? "",
      el("span", { class: "number" }, share(each.confidence)),
      lines(each.evidence ?? []),
      (each.replies ?? []).map((id) => reply(sheet, id)),
    ]),
  ));
}

/** The object in a reply, which may stand in a fence or between words; null if there is none. */
export function objectIn(text) {
  const [from, to] = [text.indexOf("{"), text.lastIndexOf("}")];
  try {
    const found = JSON.parse(text.slice(from, to + 1));
    return found && typeof found === "object" && !Array.isArray(found) ? found : null;
  } catch {
    return null;
  }
}

/**
 * What each member of the committee said of an entity: [{name, model, said}], where `said` maps
 * attributes to answers, or is null where the reply cannot be read.
 */
export function testimonies(extraction, entity) {
  const ids = new Set((entity.decisions ?? []).flatMap((each) => each.replies ?? []));
  const members = new Map();
  for (const each of extraction.replies ?? []) {
    if (each.role !== COMMITTEE || !ids.has(each.id)) continue;
    const seat = each.id.split("/").slice(0, 2).join("/");
    const said = each.status === "ok" ? about(extraction, entity, objectIn(each.text)) : null;
    if (said || !members.has(seat)) members.set(seat, { name: seat, model: each.model, said, status: each.status });
  }
  return [...members.values()];
}

function about(extraction, entity, reply) {
  if (!reply) return null;
  // Mentions of one name are asked about once, by the id of the fullest.
  const alike = extraction.entities.filter((each) => each.text.toLowerCase() === entity.text.toLowerCase());
  const key = [entity.id, ...alike.map((each) => each.id)].find((id) => plain(reply[id]));
  if (key) return reply[key];
  const asked = new Set((entity.decisions ?? []).map((each) => each.subject));
  const flat = Object.keys(reply).some((name) => asked.has(name) && !plain(reply[name]));
  if (flat) return reply;
  const [only, ...others] = Object.values(reply).filter(plain);
  return only && !others.length ? only : null;
}

const plain = (value) => Boolean(value) && typeof value === "object" && !Array.isArray(value);

const words = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const folded = (value) => words(value ?? "").normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();

/** The fold of what is known of an entity's look: the members side by side, and what was settled. */
export function votesOf(sheet, entity) {
  const known = entity.knowledge ?? {};
  const attributes = new Map((known.attributes ?? []).map((each) => [each.name, each]));
  const members = testimonies(sheet.extraction, entity);
  const settled = new Map((entity.decisions ?? []).map((each) => [each.subject, each]));
  const names = [...new Set([...members.flatMap((each) => Object.keys(each.said ?? {})), ...attributes.keys()])];
  if (!names.length && !known.summary) return null;
  const count = members.length ? `${members.length} ${members.length === 1 ? "member" : "members"}` : "";
  const summary = ["How it looks ", el("span", { class: "faint" }, [`${names.length} attributes`, count].filter(Boolean).join(", "))];
  const cell = (member, name) => {
    if (!member.said) return el("span", { class: "faint" }, member.status === "ok" ? "cannot be read" : member.status);
    const said = member.said[name];
    if (said === undefined) return el("span", { class: "faint" }, "–");
    const won = folded(said) === folded(attributes.get(name)?.value ?? settled.get(name)?.outcome);
    return el("span", { class: won ? "won" : "lost" }, won && el("span", { class: "tick" }, "✓ "), words(said));
  };
  return sheet.fold(`votes:${entity.id}`, summary, () => [
    known.summary && el("p", {}, known.summary),
    names.length > 0 && table(
      `What the committee says of ${entity.text}`,
      ["Attribute", ...members.map((each, i) => el("abbr", { title: each.model }, `Member ${i + 1}`)), "Settled", "Agreement"],
      names.map((name) => {
        const voted = attributes.get(name);
        return [name, ...members.map((member) => cell(member, name)), voted?.value ?? settled.get(name)?.outcome ?? el("span", { class: "faint" }, "unknown"), el("span", { class: "number" }, share(voted?.agreement))];
      }),
    ),
    members.length > 0 && el("ol", { class: "members faint" }, members.map((each) => el("li", {}, each.model))),
  ]);
}


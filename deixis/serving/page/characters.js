// Offsets of an extraction are characters as Python counts them: code points. Strings of a
// browser are UTF-16, where an emoji is two units.

/** The code points of a text. */
export const characters = (text) => Array.from(text);

/** How many code points a text has. */
export const length = (text) => characters(text).length;

/** What stands at half-open code points. */
export const slice = (text, start, end) => characters(text).slice(start, end).join("");

/** The code point at which a UTF-16 unit stands. */
export const atUnit = (text, unit) => length(text.slice(0, unit));

/** Without white space at either end: [start, end] of what is left of half-open code points. */
export function trimmed(text, start, end) {
  const all = characters(text);
  while (start < end && /\s/u.test(all[start])) start += 1;
  while (end > start && /\s/u.test(all[end - 1])) end -= 1;
  return [start, end];
}

/** Every place of some words in a text: half-open code points. */
export function placesOf(text, words) {
  const places = [];
  if (!words) return places;
  const size = length(words);
  for (let unit = text.indexOf(words); unit >= 0; unit = text.indexOf(words, unit + 1)) {
    const start = atUnit(text, unit);
    places.push([start, start + size]);
  }
  return places;
}

/**
 * Cut a text into runs [start, end, mark] that cover it once; mark is null outside spans
 * [start, end, mark]. Where they overlap, the shorter one is kept whole.
 */
export function runs(text, spans) {
  const size = length(text);
  const owner = new Array(size).fill(null);
  for (const [start, end, mark] of [...spans].sort((a, b) => (b[1] - b[0]) - (a[1] - a[0])))
    owner.fill(mark, start, end);
  const cuts = [...new Set([0, size, ...spans.flatMap(([start, end]) => [start, end])])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => [cuts[i], end, owner[cuts[i]]]);
}

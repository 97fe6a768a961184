// Where things lie: on a picture or a film of any size in the window, and in folders.

/** A value in per cent of a whole. */
export const percent = (part, whole) => `${(100 * part) / whole}%`;

/** Where a box lies on what has a width and a height, as CSS. */
export function placedAt([x1, y1, x2, y2], { width, height }) {
  return {
    left: percent(x1, width), top: percent(y1, height),
    width: percent(x2 - x1, width), height: percent(y2 - y1, height),
  };
}

/** What a medium is called: as whoever gave it names it, or by its source, if that is a name. */
export function nameOf(given, source) {
  return given ?? (["bytes", "array", "PIL image"].includes(source) ? "" : fileName(source));
}

/** The name of a file, without the folders and the address before it. */
export function fileName(source) {
  return String(source).split(/[?#]/)[0].split(/[/\\]/).filter(Boolean).pop() || "picture";
}

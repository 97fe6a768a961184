// Masks are COCO run-length encodings: {"size": [height, width], "counts": text}.

/**
 * The lengths of the runs, down the columns, background first. Each is written in groups of five
 * bits, lowest first, as ASCII from "0" on; bit 5 says that more follow, bit 4 of the last one is
 * the sign; from the fourth run on, the difference to the run two before is written.
 */
export function lengths(mask) {
  const [height, width] = mask.size;
  const found = [];
  let value = 0;
  let shift = 1; // a power of two: a run may be longer than 32 bits of an integer can say
  let all = 0;
  for (const letter of mask.counts) {
    const group = letter.charCodeAt(0) - 48;
    if (group < 0 || group > 63 || shift >= 32 ** 7) throw new RangeError("not a mask");
    value += (group & 31) * shift;
    shift *= 32;
    if (group & 32) continue;
    if (group & 16) value -= shift;
    if (found.length > 2) value += found[found.length - 2];
    if (value < 0) throw new RangeError("not a mask");
    found.push(value);
    all += value;
    value = 0;
    shift = 1;
  }
  if (shift !== 1 || all !== height * width)
    throw new RangeError(`the run lengths do not fill a mask of ${height} x ${width}`);
  return found;
}

/**
 * The mask at a given width and height (its own if left out), one byte a pixel, row by row. A
 * smaller one takes the nearest pixels; the mask is never held at full size for it.
 */
export function decode(mask, width = mask.size[1], height = mask.size[0]) {
  const [high, wide] = mask.size;
  const down = height / high;
  const across = width / wide;
  const made = new Uint8Array(width * height);
  let at = 0;
  lengths(mask).forEach((run, i) => {
    if (i % 2) {
      const last = Math.floor((at + run - 1) / high);
      for (let column = Math.floor(at / high); run && column <= last; column += 1) {
        const from = Math.ceil(Math.max(0, at - column * high) * down);
        const to = Math.ceil(Math.min(high, at + run - column * high) * down);
        for (let x = Math.ceil(column * across); x < Math.ceil((column + 1) * across); x += 1)
          for (let y = from; y < to; y += 1) made[y * width + x] = 1;
      }
    }
    at += run;
  });
  return made;
}

const MOST = 1400; // pixels of the longer side that are painted: no screen shows more of a mask

/**
 * A canvas of what a mask covers, with the share of the picture that it takes:
 * {canvas, left, top, width, height}. None of a mask that covers nothing or cannot be read.
 */
export function painted(mask, [red, green, blue]) {
  const [high, wide] = mask.size;
  const scale = Math.min(1, MOST / Math.max(high, wide));
  const width = Math.max(1, Math.round(wide * scale));
  const height = Math.max(1, Math.round(high * scale));
  let dots;
  try {
    dots = decode(mask, width, height);
  } catch {
    return null;
  }
  let [x1, y1, x2, y2] = [width, height, 0, 0];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      if (dots[y * width + x]) {
        x1 = Math.min(x1, x);
        x2 = Math.max(x2, x + 1);
        y1 = Math.min(y1, y);
        y2 = Math.max(y2, y + 1);
      }
  if (x2 <= x1) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [x2 - x1, y2 - y1];
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(canvas.width, canvas.height);
  const on = (x, y) => x >= 0 && y >= 0 && x < width && y < height && dots[y * width + x];
  for (let y = y1; y < y2; y += 1)
    for (let x = x1; x < x2; x += 1) {
      if (!on(x, y)) continue;
      const edge = !(on(x - 1, y) && on(x + 1, y) && on(x, y - 1) && on(x, y + 1));
      image.data.set([red, green, blue, edge ? 255 : 130], 4 * ((y - y1) * canvas.width + x - x1));
    }
  pen.putImageData(image, 0, 0);
  return { canvas, left: x1 / width, top: y1 / height, width: (x2 - x1) / width, height: (y2 - y1) / height };
}

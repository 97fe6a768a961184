// The colours of entities, as deixis/show/panels.py has them: Okabe and Ito's without black, then
// what is left of Tol's muted scheme, then hues by the golden ratio.

const FIXED = [
  [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178],
  [213, 94, 0], [204, 121, 167], [51, 34, 136], [153, 153, 51], [136, 34, 85],
];
const GOLDEN = 0.6180339887498949;

/** The colour number `index`, from 0: [red, green, blue]. */
export function colour(index) {
  if (index < FIXED.length) return FIXED[index];
  const hue = ((index + 1) * GOLDEN) % 1;
  return fromHls(hue, [0.5, 0.62, 0.8][index % 3], 0.9);
}

/** Black or white, whichever reads better on a colour (WCAG 2 contrast). */
export function ink(background) {
  const [red, green, blue] = background.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}

export const css = ([red, green, blue]) => `rgb(${red}, ${green}, ${blue})`;

/** The custom properties that say an entity's colour to the style sheet. */
export function paint(index) {
  const back = colour(index);
  return { "--back": css(back), "--on-back": ink(back) };
}

function fromHls(hue, light, saturation) {
  const most = light <= 0.5 ? light * (1 + saturation) : light + saturation - light * saturation;
  const least = 2 * light - most;
  return [hue + 1 / 3, hue, hue - 1 / 3].map((given) => {
    const at = ((given % 1) + 1) % 1;
    let part = least;
    if (at < 1 / 6) part = least + (most - least) * 6 * at;
    else if (at < 1 / 2) part = most;
    else if (at < 2 / 3) part = least + (most - least) * (2 / 3 - at) * 6;
    return Math.round(part * 255);
  });
}

// SVG documents inside an SVG document.

/** An SVG document as a picture inside another one. */
export function place(
  /** @type {string} */ svg,
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {number} */ w,
  /** @type {number} */ h,
) {
  return svg
    .replace(/\bwidth="[\d.]+" height="[\d.]+"/, `x="${x}" y="${y}" width="${w}" height="${h}"`)
    .trim();
}

/** Of an SVG document, as it says. */
export const sizeOf = (/** @type {string} */ svg) => {
  const [, width, height] = /<svg [^>]*?\bwidth="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return { width: Number(width), height: Number(height) };
};

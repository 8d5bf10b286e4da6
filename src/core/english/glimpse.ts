/** Messages of the glimpses. */
export const glimpseMessages = {
  GLIMPSE_SIZE: (d: { op: string; name: string; got: string }) =>
    `${d.op}: ${d.name} must be two integers of 1 or more, got ${d.got}; give rows, then columns`,
  CROP_OUTSIDE: (d: { op: string; example: number; y: number; x: number; lastY: number; lastX: number }) =>
    `${d.op}: with outside: "error" a crop must lie within the image, y from 0 to H − h=${d.lastY} and x from 0 to ` +
    `W − w=${d.lastX}, got y=${d.y} and x=${d.x} for example ${d.example}; move it, or use outside: "clamp" or "zeros"`,
};

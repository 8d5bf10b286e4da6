/** The encoding of one position, `width` channels written from `start`. */
export function writeSinusoids(
  out: Float32Array,
  start: number,
  width: number,
  position: number,
  base: number,
): void {
  for (let c = 0; c < width; c++) {
    const pair = c - (c % 2);
    const phase = position / base ** (pair / width);
    out[start + c] = c === pair ? Math.sin(phase) : Math.cos(phase);
  }
}

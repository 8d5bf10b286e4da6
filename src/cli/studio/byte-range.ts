/**
 * The first and the last byte that a request asks for; undefined for the whole file, "none" for what no file has.
 *
 * @example
 * rangeOf("bytes=2-", 10); // [2, 9]
 * rangeOf("bytes=10-", 10); // "none"
 */
export function rangeOf(
  header: string | undefined,
  size: number,
): readonly [number, number] | "none" | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  // Several ranges, and other units, may be answered by the whole.
  if (from === undefined || (from === "" && to === "")) return undefined;
  const [first, last] =
    from === ""
      ? [Math.max(0, size - Number(to)), size - 1]
      : [Number(from), to === "" ? size - 1 : Math.min(Number(to), size - 1)];
  return first > last || first >= size ? "none" : [first, last];
}

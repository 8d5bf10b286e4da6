/**
 * Where a key moves the place in a row of things of which one is chosen, such as tabs or tokens: the arrows one on or back,
 * Home and End to the ends. Undefined for other keys, and for those with Ctrl, Alt or Meta, which are the browser's.
 *
 * @param at the chosen place, from 0
 * @param count how many there are
 * @param wraps whether the last is followed by the first, as with tabs
 * @example
 * rovingStep({ key: "ArrowRight" }, 2, 3, true); // 0
 * rovingStep({ key: "ArrowRight" }, 2, 3, false); // 2
 */
export function rovingStep(
  { key, ctrlKey, altKey, metaKey }: Pick<KeyboardEvent, "key"> & Partial<KeyboardEvent>,
  at: number,
  count: number,
  wraps: boolean,
): number | undefined {
  const places = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: count - 1 };
  const to = ctrlKey || altKey || metaKey || !count ? undefined : places[key as keyof typeof places];
  if (to === undefined) return undefined;
  return wraps ? (to + count) % count : Math.min(Math.max(to, 0), count - 1);
}

import { RandomStream } from "../../src/core/random.ts";

/** What a damaged file may hold in the place of anything else. */
const ODD: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e300, "", "a", "a b", "\u202e", "__proto__", "constructor", [], {}, [[]]],
  ...[["a", "b"], { length: 3 }, { 0: "a" }, [null], "9".repeat(50)],
];

/**
 * Copies of a JSON value, each with one to three places changed: another value, a key lost, a key doubled under another
 * name, a list cut, doubled or out of order. The same seed gives the same copies.
 */
export function* mutations(seed: number, count: number, whole: unknown): Generator<unknown> {
  const random = new RandomStream(seed);
  const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)]!;
  for (let n = 0; n < count; n++) {
    const root: { value: unknown } = { value: structuredClone(whole) };
    for (let times = 1 + random.integer(3); times > 0; times--) {
      let [holder, key] = [root as Record<string, unknown>, "value"];
      // Down from the root, and every deeper place is as likely as the one above it.
      while (typeof holder[key] === "object" && holder[key] !== null && random.integer(4) > 0) {
        const inner = holder[key] as Record<string, unknown>;
        const keys = Object.keys(inner);
        if (keys.length === 0) break;
        [holder, key] = [inner, pick(keys)];
      }
      const kind = random.integer(5);
      const list = holder[key];
      if (kind === 0 && holder !== root) delete holder[key];
      else if (kind === 1 && holder !== root) holder[`${key}2`] = holder[key];
      else if (kind === 2 && Array.isArray(list)) list.length = random.integer(list.length + 1);
      else if (kind === 3 && Array.isArray(list)) list.push(...list);
      else if (kind === 4 && Array.isArray(list)) list.reverse();
      else holder[key] = structuredClone(pick(ODD));
    }
    yield root.value;
  }
}

/** JSON values that are nearly those of a file: still JSON, so that damage reaches what lies deeper than a parser. */

/** @typedef {{ integer(below: number): number }} Random */

/**
 * What a damaged file may hold in the place of anything else.
 *
 * @type {readonly unknown[]}
 */
const ODD = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    1e300,
    2 ** 40,
    "",
    "a",
    "a b",
    "\u202e",
    "__proto__",
    "constructor",
    [],
    {},
    [[]],
  ],
  ...[["a", "b"], { length: 3 }, { 0: "a" }, [null], "9".repeat(50)],
];

/**
 * A copy of a JSON value with one to three places changed: another value, a key lost, a key doubled under another name, a
 * list cut, doubled or out of order.
 */
export function mutateJson(/** @type {unknown} */ whole, /** @type {Random} */ random) {
  const pick = (/** @type {readonly any[]} */ from) => from[random.integer(from.length)];
  const root = { value: structuredClone(whole) };
  for (let times = 1 + random.integer(3); times > 0; times--) {
    /** @type {Record<string, any>} */
    let holder = root;
    let key = "value";
    // Down from the root, and every deeper place is as likely as the one above it.
    while (typeof holder[key] === "object" && holder[key] !== null && random.integer(4) > 0) {
      const inner = holder[key];
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
  return root.value;
}

/** Such copies, the same ones of the same stream. */
export function* mutations(
  /** @type {Random} */ random,
  /** @type {number} */ count,
  /** @type {unknown} */ whole,
) {
  for (let n = 0; n < count; n++) yield mutateJson(whole, random);
}

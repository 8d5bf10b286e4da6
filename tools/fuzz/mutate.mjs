/** Bytes that are nearly those of a file: what a bad disk, a broken download or an enemy makes of it. */

/** Numbers that lengths and places are replaced by. */
const NUMBERS = [
  0n,
  1n,
  -1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  2n ** 40n,
  2n ** 53n,
  2n ** 63n - 1n,
];

/** @typedef {{ integer(below: number): number }} Random */

/** @type {((bytes: Uint8Array, random: Random) => Uint8Array)[]} */
const MUTATIONS = [
  function flip(bytes, random) {
    for (let n = 1 + random.integer(4); n > 0; n--)
      bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    return bytes;
  },
  function overwrite(bytes, random) {
    for (let n = 1 + random.integer(8); n > 0; n--) bytes[random.integer(bytes.length)] = random.integer(256);
    return bytes;
  },
  function number(bytes, random) {
    const width = [1, 2, 4, 8][random.integer(4)];
    const value = NUMBERS[random.integer(NUMBERS.length)];
    const at = random.integer(Math.max(1, bytes.length - width));
    for (let n = 0; n < width && at + n < bytes.length; n++)
      bytes[at + n] = Number((value >> BigInt(8 * n)) & 255n);
    return bytes;
  },
  (bytes, random) => bytes.slice(0, random.integer(bytes.length)),
  function insert(bytes, random) {
    const [at, length] = [random.integer(bytes.length), 1 + random.integer(16)];
    const more = Uint8Array.from({ length }, () => random.integer(256));
    return Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at)]);
  },
  function remove(bytes, random) {
    const at = random.integer(bytes.length);
    return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + random.integer(16))]);
  },
  function copy(bytes, random) {
    const length = 1 + random.integer(Math.min(64, bytes.length));
    const [from, to] = [random.integer(bytes.length), random.integer(bytes.length)];
    bytes.copyWithin(to, from, from + length);
    return bytes;
  },
];

/** One or two mutations of a copy. A third of them near the start, where headers are. */
export function mutate(/** @type {Uint8Array} */ original, /** @type {Random} */ random) {
  let bytes = original.slice();
  for (let n = 1 + random.integer(2); n > 0 && bytes.length > 0; n--) {
    const change = MUTATIONS[random.integer(MUTATIONS.length)];
    const near = Math.min(bytes.length, 256);
    const isNear = random.integer(3) === 0;
    bytes = change(bytes, isNear ? { integer: (below) => random.integer(Math.min(below, near)) } : random);
  }
  return bytes;
}

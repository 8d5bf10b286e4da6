/** What parsing a JSON text will take, found without parsing it. */
export interface JsonCost {
  /** How deep its brackets nest. */
  readonly depth: number;
  /** About how much memory its values take, in bytes: a list or an object 64, each value in one 16, text 2 a byte. */
  readonly bytes: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_LIST = 0x5d;
const CLOSE_OBJECT = 0x7d;

/**
 * Reads UTF-8 JSON once for its brackets and commas, whose bytes mean nothing else there: 100 MB of `[` cost a parser
 * 5.5 GB. Text that is no JSON gets some numbers, never an error. Cost: O(bytes), no memory.
 *
 * @example
 * jsonCost(new TextEncoder().encode('{"a": [[1, 2]]}')).depth; // 3
 */
export function jsonCost(text: Uint8Array): JsonCost {
  let depth = 0;
  let deepest = 0;
  let lists = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) {
      for (at++; at < text.length && text[at] !== QUOTE; at++) if (text[at] === BACKSLASH) at++;
    } else if (byte === COMMA) values++;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      lists++;
      if (++depth > deepest) deepest = depth;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
  }
  return { depth: deepest, bytes: 2 * text.length + 64 * lists + 16 * values };
}

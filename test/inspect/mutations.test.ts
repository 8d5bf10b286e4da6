import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import {
  headStatistics,
  importTrace,
  layerMap,
  readTrace,
  type Trace,
  writeTrace,
} from "../../src/inspect/index.ts";
import { countAllocations } from "./allocations.ts";
import { fullTrace } from "./support.ts";

/** Whole numbers below n, the same sequence for the same seed (xorshift32). */
function dice(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

const PIECES = [
  ...[
    "0",
    "1",
    "-1",
    "1e999",
    "4294967296",
    "9007199254740991",
    "null",
    '"',
    "[",
    "]",
    "{",
    "}",
    "[[[[[[[[",
    ",",
    ":",
  ],
  ...[
    '"attn.9"',
    '"__proto__"',
    '"constructor"',
    '"F16"',
    '"U8"',
    '"right"',
    '"offset"',
    '"tgt"',
    "NaN",
    "\\u0000",
  ],
];
const text = new TextEncoder();

/** Damages a file: bytes, cuts, doubled parts, and pieces of JSON where they hurt. */
function mutate(bytes: Uint8Array, roll: (n: number) => number): Uint8Array {
  let out: Uint8Array = bytes.slice();
  for (let n = 1 + roll(4); n > 0 && out.length > 0; n--) {
    const at = roll(roll(2) ? out.length : Math.min(out.length, 2000));
    const kind = roll(6);
    if (kind === 0) out[at] = roll(256);
    else if (kind === 1) out[at]! ^= 1 << roll(8);
    else if (kind === 2) out = out.subarray(0, at);
    else if (kind === 3)
      out = concat(out.subarray(0, at), text.encode(PIECES[roll(PIECES.length)]!), out.subarray(at));
    else if (kind === 4) out = concat(out.subarray(0, at), out.subarray(Math.min(out.length, at + roll(40))));
    else out = concat(out.subarray(0, at), out.subarray(Math.max(0, at - roll(40)), at), out.subarray(at));
  }
  return out;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A trace's metadata or header rewritten, its lengths made right again, so that damage reaches what lies deeper. */
function mutateJson(bytes: Uint8Array, roll: (n: number) => number): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  if (roll(2)) {
    const inner = mutate(text.encode(header.__metadata__.attn_trace), roll);
    // Half of the time a field gets another value, which stays JSON.
    const swap = (json: string) =>
      json.replace(/(?<=:)[^,:{}[\]]+/g, (value) => (roll(20) ? value : PIECES[roll(9)]!));
    header.__metadata__.attn_trace = roll(2)
      ? new TextDecoder().decode(inner)
      : swap(header.__metadata__.attn_trace);
  } else {
    const names = Object.keys(header).filter((name) => name !== "__metadata__");
    const [a, b] = [names[roll(names.length)]!, names[roll(names.length)]!];
    const kind = roll(4);
    if (kind === 0) [header[a], header[b]] = [header[b], header[a]];
    else if (kind === 1) header[a].shape = header[a].shape.toReversed();
    else if (kind === 2) header[a].shape = [...header[a].shape, 1];
    else header[`attn.${roll(3)}`] = header[a];
  }
  const encoded = text.encode(JSON.stringify(header));
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(encoded.length), true);
  return concat(prefix, encoded, bytes.subarray(8 + length));
}

/** Looks at what a view would. */
function look(trace: Trace): void {
  for (const layer of trace.layers) {
    const map = layerMap(layer);
    map.row(layer.H - 1, layer.T - 1);
    map.tile(0, map.levels - 1, 0, 0);
    try {
      headStatistics(map, 0);
    } catch (error) {
      if ((error as { code?: string }).code !== "NOT_DISTRIBUTION") throw error;
    }
  }
}

/** What a file of so many bytes may justify: some copies, and buffers of fixed size. */
const justified = (bytes: number) => 64 * bytes + 1_000_000;
const SLOWEST_MS = 2000;

function feed(
  seed: number,
  count: number,
  open: (bytes: Uint8Array) => Trace,
  make: (roll: (n: number) => number) => Uint8Array,
) {
  const roll = dice(seed);
  const codes = new Map<string, number>();
  let [most, slowest] = [0, 0];
  for (let n = 0; n < count; n++) {
    const bytes = make(roll);
    const begin = performance.now();
    let code = "read";
    const { bytes: allocated } = countAllocations(() => {
      try {
        look(open(bytes));
      } catch (error) {
        // Anything else than a DataError is a crash, and the seed and number say which file it was.
        if (!(error instanceof DataError)) throw new Error(`file ${n} of seed ${seed}`, { cause: error });
        code = error.code;
      }
    });
    slowest = Math.max(slowest, performance.now() - begin);
    most = Math.max(most, allocated - justified(bytes.length));
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect(most).toBeLessThanOrEqual(0);
  expect(slowest).toBeLessThan(SLOWEST_MS);
  return codes;
}

describe("damaged files", () => {
  it("10,000 mutated traces never crash or hang the reader, nor make it allocate more than they justify", () => {
    const whole = writeTrace(fullTrace());
    const codes = feed(1, 10_000, readTrace, (roll) =>
      roll(2) ? mutate(whole, roll) : mutateJson(whole, roll),
    );
    // Faults have one code, or name a type that there is none of; both outcomes are common enough to mean something.
    expect([...codes.keys()].sort()).toEqual(["FORMAT", "UNSUPPORTED", "read"]);
    expect(codes.get("FORMAT")).toBeGreaterThan(3000);
    expect(codes.get("read")).toBeGreaterThan(500);
  });

  const npz = (name: string) =>
    new Uint8Array(readFileSync(new URL(`../fixtures/inspect/${name}.npz`, import.meta.url)));
  it.each<[string, Uint8Array]>([
    ["compressed archives", npz("kinds")],
    ["archives", npz("translation")],
    [
      "JSON files",
      text.encode(
        JSON.stringify({
          attention: [
            {
              name: "a",
              attn: [
                [
                  [
                    [1, 0],
                    [0.5, 0.5],
                  ],
                ],
              ],
              left_text: ["x", "y"],
              right_text: ["x", "y"],
            },
          ],
        }),
      ),
    ],
    ["tables", text.encode(',I,love\n"J\'",0.9,0.1\naime,0.25,0.75\n')],
  ])("2,000 mutated %s do no harm to the importers either", (_, whole) => {
    const codes = feed(
      7,
      2000,
      (bytes) => importTrace(bytes, "file"),
      (roll) => mutate(whole, roll),
    );
    expect([...codes.keys()].filter((code) => !["FORMAT", "UNSUPPORTED", "read"].includes(code))).toEqual([]);
    expect(codes.get("FORMAT")).toBeGreaterThan(100);
  });
});

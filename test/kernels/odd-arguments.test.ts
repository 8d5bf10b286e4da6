/** Whatever plain JavaScript passes to the kernels is refused in a sentence, or taken: no raw TypeError comes out. */
import { beforeAll, expect, it } from "vitest";
import { HeedError } from "../../src/core/errors.ts";
import * as kernels from "../../src/kernels/index.ts";

/** Functions as plain JavaScript calls them. */
type Any = (...args: unknown[]) => unknown;
const call = kernels as unknown as Record<string, Any>;

const ODD: unknown[] = [
  ...[
    null,
    undefined,
    0,
    1,
    -1,
    1.5,
    Number.NaN,
    Infinity,
    "",
    "x",
    true,
    [],
    [1],
    {},
    () => 1,
    Symbol("s"),
    10n,
  ],
  ...[new Float32Array(0), new Float64Array(24), new Int32Array(24), new Date(), Object.create(null)],
  ...[{ shape: null }, { shape: [1, 3], dtype: "bool" }, { shape: [1, 3], values: null, dtype: "float32" }],
  ...[{ shape: "ab", values: [1], dtype: "bool" }, new Proxy({}, {})],
];

const SIZES = { B: 1, H: 2, T: 3, S: 3, D: 4 };
const ADDITIVE = { B: 1, T: 3, S: 3, A: 4, Dv: 4 };
const floats = (n: number) => new Float32Array(n).fill(0.5);

/** A call with one argument, or one field of an argument, replaced. */
interface Sort {
  readonly name: string;
  readonly args: () => unknown[];
}

function sorts(): Sort[] {
  const x = () => [floats(24), floats(24), floats(24), SIZES, {}];
  const a = () => [floats(12), floats(12), floats(4), floats(12), ADDITIVE, {}];
  const { saved } = call.attention!(...x()) as { saved: object };
  const { saved: additive } = call.additiveAttention!(...a()) as { saved: object };
  return [
    { name: "attention", args: x },
    { name: "attentionBackward", args: () => [floats(24), saved, floats(6)] },
    { name: "additiveAttention", args: a },
    { name: "additiveAttentionBackward", args: () => [{ dout: floats(12) }, additive] },
    { name: "attentionCost", args: () => [SIZES, {}] },
    { name: "probe", args: () => [saved, {}] },
    { name: "reduceHeads", args: () => [floats(18), SIZES, "mean"] },
  ];
}

const FIELDS = [
  ...[
    "scale",
    "allow",
    "bias",
    "causal",
    "queryOffset",
    "window",
    "queryLengths",
    "keyLengths",
    "softCap",
    "sink",
  ],
  ...["dropout", "training", "onEmptyRow", "layout", "weights", "left", "right", "rate", "seed"],
  ...["q", "k", "v", "output", "lse", "program", "query", "key", "value", "dout", "dlse", "dweights"],
  ...["B", "H", "Hkv", "T", "S", "D", "Dv", "A", "rows", "topK", "tiles", "blockMax", "entropy", "max"],
];

const replaced = (given: unknown, name: string, odd: unknown) => {
  if (name === "left" || name === "right") return { window: { [name]: odd } };
  if (name === "rate" || name === "seed") {
    return { training: true, dropout: { rate: 0.5, seed: 1, [name]: odd } };
  }
  return { ...(given as object), [name]: odd };
};

function failure(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof HeedError)) return String(error);
  }
  return undefined;
}

beforeAll(async () => void (await kernels.init()));

it("odd arguments and odd fields give typed errors", () => {
  const raw = new Set<string>();
  let tried = 0;
  for (const { name, args } of sorts()) {
    const whole = args();
    for (const odd of ODD) {
      for (let n = 0; n < whole.length; n++) {
        const given = args().with(n, odd);
        const error = failure(() => call[name]!(...given));
        if (error) raw.add(`${name}, argument ${n}: ${error}`);
        tried++;
        if (typeof whole[n] !== "object" || ArrayBuffer.isView(whole[n])) continue;
        for (const field of FIELDS) {
          const fields = args().with(n, replaced(whole[n], field, odd));
          const other = failure(() => call[name]!(...fields));
          if (other) raw.add(`${name}, ${field} of argument ${n}: ${other}`);
          tried++;
        }
      }
    }
  }
  expect(tried).toBeGreaterThan(10_000);
  expect([...raw]).toEqual([]);
});

it("odd options of init give typed errors", async () => {
  const raw: string[] = [];
  for (const odd of ODD) {
    for (const options of [odd, { threads: odd }, { build: odd }]) {
      await (call.init!(options) as Promise<unknown>).catch((error) => {
        if (!(error instanceof HeedError)) raw.push(String(error));
      });
    }
  }
  expect(raw).toEqual([]);
});

it("says which argument is odd, and what it should be", () => {
  const x = floats(24);
  const attempt = (options: unknown) => () => call.attention!(x, x, x, SIZES, options);
  expect(attempt(null)).toThrow("attention: options must be an object, got null; pass {}, or leave them out");
  expect(attempt({ bias: x })).toThrow(
    "attention: bias must be an array in ordinary memory, got Float32Array; pass { shape, dtype, values }",
  );
  expect(attempt({ keyLengths: 3 })).toThrow(
    "attention: keyLengths must be an array of numbers, got 3; give one length per example",
  );
  expect(() => call.attentionBackward!(x, {})).toThrow(
    "attentionBackward: saved.program must be the program of the call, got undefined; pass what the forward call returned as `saved`, unchanged",
  );
});

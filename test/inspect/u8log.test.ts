import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeU8Log, encodeU8Log, U8LOG_MASKED } from "../../src/inspect/index.ts";

/** Half a step of the code, 6/253 decades wide. */
const WORST = 10 ** (3 / 253) - 1;

it("keeps every weight from 1e-6 to 1 within 2.8 %, which is half a step, and comes that far", () => {
  expect(WORST).toBeLessThan(0.028);
  let worst = 0;
  const check = (w: number) => {
    const error = Math.abs(decodeU8Log(encodeU8Log([w]))[0]! / w - 1);
    worst = Math.max(worst, error);
  };
  for (let n = 0; n <= 100_000; n++) check(10 ** ((-6 * n) / 100_000));
  // float32 adds its own half of 2⁻²³.
  expect(worst).toBeLessThanOrEqual(WORST + 2 ** -23);
  fc.assert(fc.property(fc.double({ min: 1e-6, max: 1, noNaN: true }), check));
  expect(worst).toBeLessThanOrEqual(WORST + 2 ** -23);
  expect(worst).toBeGreaterThan(0.98 * WORST);
});

it("keeps 0 and 1 exactly, never makes a weight 0, and tells hidden keys from zeros", () => {
  const codes = encodeU8Log([0, 1, 1e-30, 1e-6, 0.3, 7], [1, 1, 1, 1, 0, 1]);
  expect([...codes]).toEqual([0, 254, 1, 1, U8LOG_MASKED, 254]);
  expect([...decodeU8Log(codes)].map((w) => Number(w.toPrecision(6)))).toEqual([0, 1, 1e-6, 1e-6, 0, 1]);
});

it("gives back every code that it reads, and codes grow with the weights", () => {
  const all = Uint8Array.from({ length: 255 }, (_, code) => code);
  const weights = decodeU8Log(all);
  expect(encodeU8Log(weights)).toEqual(all);
  for (let code = 1; code < 255; code++) expect(weights[code]!).toBeGreaterThan(weights[code - 1]!);
});

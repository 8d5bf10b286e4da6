import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readFragment, writeFragment } from "../../src/elements/url-state.ts";

const place = fc.nat(999_999_999);
const pin = fc.record({ query: place, key: place });
const state = fc.record({
  layer: place,
  head: place,
  query: place,
  key: place,
  byKey: fc.boolean(),
  pins: fc.array(pin, { maxLength: 8 }),
  palette: fc.string(),
  colorScale: fc.string(),
  view: fc.string(),
});

describe("the state of an element in an address", () => {
  test("comes back as it was, whatever it is", () => {
    fc.assert(
      fc.property(state, fc.constantFrom("", "a.", "π="), (given, prefix) => {
        expect(readFragment(writeFragment("", prefix, given), prefix)).toEqual(given);
      }),
    );
  });

  test("leaves alone what other prefixes and other programs wrote", () => {
    const given = { layer: 1, head: 2, query: 3, key: 4, byKey: true, pins: [], palette: "viridis" };
    const two = writeFragment(writeFragment("#other=1", "a.", given), "b.", { ...given, head: 7 });
    expect(readFragment(two, "a.")).toEqual(given);
    expect(readFragment(two, "b.").head).toBe(7);
    expect(two).toContain("other=1");
  });

  test("leaves out what is no number where one belongs, and pins beyond the eighth", () => {
    const pins = Array.from({ length: 10 }, (_, n) => `${n}.0`).join("_");
    expect(readFragment(`#l=-1&h=1e9&q=NaN&k=&x=2&pin=x_${pins}`, "")).toEqual({
      pins: Array.from({ length: 8 }, (_, query) => ({ query, key: 0 })),
    });
    expect(readFragment("", "")).toEqual({});
    expect(readFragment("#%E0%A4%A", "")).toEqual({});
  });
});

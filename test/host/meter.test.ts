import { afterEach, expect, it, vi } from "vitest";
import { currentMeter, Meter, metered, setMeter } from "../../src/host/meter.ts";

afterEach(() => {
  setMeter(undefined);
  vi.restoreAllMocks();
});

/** A clock that stands still but for `spend`. */
function clock() {
  let now = 100;
  const reading = vi.spyOn(performance, "now").mockImplementation(() => now);
  const spend = (ms: number) => {
    now += ms;
  };
  return { reading, spend };
}

it("charges each kernel what it took without the kernels that it ran", () => {
  const { spend } = clock();
  const meter = new Meter();
  setMeter(meter);
  for (let n = 0; n < 2; n++) {
    const answer = metered("outer", true, () => {
      spend(1);
      metered("stock", false, () => spend(8));
      metered("inner", true, () => {
        spend(2);
        metered("stock", false, () => spend(16));
      });
      spend(4);
      return "made";
    });
    expect(answer).toBe("made");
  }
  metered("stock", true, () => spend(32));
  expect(new Set(meter.times)).toEqual(
    new Set([
      { name: "outer", ours: true, calls: 2, ms: 2 * 5 },
      { name: "inner", ours: true, calls: 2, ms: 2 * 2 },
      { name: "stock", ours: false, calls: 4, ms: 2 * 24 },
      { name: "stock", ours: true, calls: 1, ms: 32 },
    ]),
  );
});

it("charges a kernel that throws, and goes on", () => {
  const { spend } = clock();
  const meter = new Meter();
  setMeter(meter);
  const failing = () =>
    metered("failing", true, () => {
      spend(3);
      throw new Error("no");
    });
  metered("outer", true, () => {
    expect(failing).toThrow("no");
    spend(1);
  });
  expect(new Set(meter.times)).toEqual(
    new Set([
      { name: "failing", ours: true, calls: 1, ms: 3 },
      { name: "outer", ours: true, calls: 1, ms: 1 },
    ]),
  );
});

it("does not read the clock where nobody measures", () => {
  const { reading } = clock();
  expect(currentMeter()).toBeUndefined();
  expect(metered("any", true, () => 7)).toBe(7);
  expect(reading).not.toHaveBeenCalled();
});

import { expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { displayWidth, terminalFlow } from "../../src/viz/index.ts";
import { CAUSAL, HOSTILE, SEED } from "./fixtures.ts";

it("lists below each output what it reads, with bars", async () => {
  const list = terminalFlow(SEED, { unicode: true, columns: 80, title: "Attention Flow" });
  await expect(list).toMatchFileSnapshot("golden/terminal-flow.txt");
});

it("is pure ASCII where that is asked for, and never wider than the terminal", () => {
  for (const columns of [20, 33, 80]) {
    const list = terminalFlow(SEED, { unicode: false, columns });
    expect(/^[\n\x20-\x7e]*$/.test(list)).toBe(true);
    for (const line of list.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
  }
});

it("names the inputs that hold 70 % of an output, the strongest first, five at most", () => {
  const lines = terminalFlow(SEED, { unicode: true, columns: 80 }).split("\n");
  const at = lines.indexOf("l'");
  expect(lines.slice(at + 1, at + 3).map((line) => line.trim().slice(0, 13))).toEqual([
    "learning 0.50",
    "machine 0.25 ",
  ]);
  expect(lines[at + 3]).toBe("apprentissage");
  expect(lines.at(-1)).toBe("6 of 35 weights, 78 % of all");
  const even = {
    weights: [new Array(9).fill(1 / 9)],
    rowTokens: ["t"],
    columnTokens: new Array(9).fill("s"),
  };
  expect(terminalFlow(even, { unicode: true, columns: 80 }).split("\n")).toHaveLength(1 + 5 + 2);
});

it("says where there is nothing to attend to, and passes over masked cells", () => {
  const data = { weights: [[1, 2]], mask: [[0, 0]], rowTokens: ["t"], columnTokens: ["a", "b"] };
  expect(terminalFlow(data, { unicode: true, columns: 80 }).split("\n")[1]).toBe("  nothing to attend to");
  expect(terminalFlow(CAUSAL, { unicode: true, columns: 80 })).not.toContain("9.00");
});

it("lets no token steer the terminal", () => {
  const weights = HOSTILE.map((_, t) => HOSTILE.map((_, s) => Number(s === t)));
  const data = { weights, rowTokens: HOSTILE, columnTokens: HOSTILE };
  const list = terminalFlow(data, { unicode: true, columns: 60, title: HOSTILE[3]! });
  expect(/[\p{Cc}\p{Bidi_Control}]/u.test(list.replaceAll("\n", ""))).toBe(false);
  for (const line of list.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(60);
});

it("refuses a width that is none", () => {
  expect(() => terminalFlow(SEED, { unicode: true, columns: 0 })).toThrow(OptionError);
  expect(() => terminalFlow(SEED, { unicode: true, columns: 80, top: 0 })).toThrow(
    /^terminalFlow: top must be/,
  );
});

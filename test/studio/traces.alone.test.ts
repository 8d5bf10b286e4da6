import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readTrace, type TraceTensor } from "../../src/inspect/index.ts";
import { defaultView, drawTrace } from "../../src/views/index.ts";
import { makeTrace, STUDIO_TRACES } from "../../tools/studio-traces.mjs";

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly bytes: number;
}

const list: readonly Listed[] = JSON.parse(readFileSync(path.join(STUDIO_TRACES, "traces.json"), "utf8"));
const stored = (id: string) => readTrace(readFileSync(path.join(STUDIO_TRACES, `${id}.attn`)));

test("the list names every trace with its size, 400 kB together, and each can be drawn", () => {
  const files = readdirSync(STUDIO_TRACES).filter((file) => file.endsWith(".attn"));
  expect(list.map(({ id }) => `${id}.attn`).sort()).toEqual(files.sort());
  for (const { id, title, bytes } of list) {
    expect(readFileSync(path.join(STUDIO_TRACES, `${id}.attn`)).length).toBe(bytes);
    const trace = stored(id);
    expect(trace.name).toBe(title);
    expect(drawTrace(trace)).toMatch(/^<svg /);
  }
  expect(list.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(400_000);
  expect(
    new Set(list.map(({ id }) => defaultView(stored(id)))).size,
    "they show different things",
  ).toBeGreaterThan(3);
});

/**
 * Models run with other instructions on other machines, which round otherwise: sums of some 4,000 terms in float32 differ by
 * 4,096 · 2^-24 of their size, and the layers after them by a few times as much.
 */
const TOLERANCE = 2 ** -9;

function expectClose(got: TraceTensor | undefined, wanted: TraceTensor | undefined): void {
  expect(got?.shape).toEqual(wanted?.shape);
  if (!got || !wanted) return;
  const [a, b] = [got.slice(), wanted.slice()];
  const most = b.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  expect(Math.max(...a.map((value, n) => Math.abs(value - b[n]!)))).toBeLessThanOrEqual(TOLERANCE * most);
}

test("the shipped models give the same traces again", async () => {
  for (const id of ["caption", "tracking"]) {
    const [made, wanted] = [await makeTrace(id), stored(id)];
    expect(made.tokens).toEqual(wanted.tokens);
    expect(made.image).toEqual(wanted.image);
    expect(made.glimpses.length).toBe(wanted.glimpses.length);
    for (const [n, glimpse] of wanted.glimpses.entries()) expectClose(made.glimpses[n], glimpse);
    for (const [n, layer] of wanted.layers.entries()) expectClose(made.layers[n]!.attn, layer.attn);
    for (const [name, gate] of Object.entries(wanted.gates)) expectClose(made.gates[name], gate);
  }
});

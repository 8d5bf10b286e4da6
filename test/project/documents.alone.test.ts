import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

/** What the headers of the sources say, run once: the pages by their place, and the pictures by name. */
const made = JSON.parse(
  execFileSync(process.execPath, [path.join(root, "tools/docs/mechanisms.mjs"), "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 1 << 26,
  }),
) as { pages: Record<string, string>; pictures: Record<string, string>; undrawn: string[] };
const MAKE = "run npm run build && node tools/docs/mechanisms.mjs";

test("docs/MECHANISMS.md and its families are what the headers of the sources say, and what their examples do on each backend", () => {
  for (const [place, page] of Object.entries(made.pages)) expect(read(place), MAKE).toBe(page);
  const families = readdirSync(path.join(root, "docs/mechanisms")).map((file) => `docs/mechanisms/${file}`);
  expect([...families, "docs/MECHANISMS.md"].sort(), MAKE).toEqual(Object.keys(made.pages).sort());
});

test("every name in docs/MECHANISMS.md leads to its place on the page of its family", () => {
  const links = [...made.pages["docs/MECHANISMS.md"]!.matchAll(/\]\((mechanisms\/[\w-]+\.md)#(\w+)\)/g)];
  expect(links.length).toBeGreaterThan(100);
  for (const [, page, anchor] of links) {
    const headings = [...made.pages[`docs/${page}`]!.matchAll(/^## `(\w+)`$/gm)].map(([, name]) => name!);
    expect(headings.map((name) => name.toLowerCase())).toContain(anchor);
  }
});

/** Steps, tables, losses and converters: the mechanism that they belong to is the one to draw. */
const PARTS = [
  "allowTensor",
  "maskScores",
  "normalizerOf",
  "logSumExp",
  "alibiSlopes",
  "ropeFrequencies",
  "ropeTable",
  "applyRope",
  "t5Bucket",
  "fromTorchInProj",
  "attentionAdvice",
  "singleHeadMask",
  "blockMaskOfRows",
  "drawBlocks",
  "denseMask",
  "gatedDeltaStep",
  "eluFeatures",
  "linearAttentionStep",
  "selectionMask",
  "orthogonalRandomFeatures",
  "retentionDecays",
  "retentionStep",
  "spanPenalty",
  "sentinelGate",
  "MovingAverage",
  "sampleCategorical",
  "measureEstimator",
  "logProbability",
  "entropy",
  "scoreFunctionLoss",
  "fromTorchEncoderLayer",
  "fromTorchDecoderLayer",
  "drawParameters",
  "drawGaussians",
  "windowGaussians",
  "windowAffine",
  "doublyStochasticPenalty",
  "spikingOperations",
  "StateVector",
  "runCircuit",
  "adjointGradient",
  "parameterShift",
  "entanglingAnsatz",
  "ntmHead",
  "readSlots",
  "reconstructionLoss",
  "deformableDirections",
];

test("every mechanism draws itself, but for helpers that have no numbers of their own to show", () => {
  expect(made.undrawn.toSorted()).toEqual(PARTS.toSorted());
});

test("the pictures of the mechanisms' pages are those that the mechanisms draw", () => {
  const folder = "docs/images/mechanisms";
  const committed = readdirSync(path.join(root, folder));
  expect(committed.sort(), MAKE).toEqual(
    Object.keys(made.pictures)
      .map((name) => `${name}.svg`)
      .sort(),
  );
  for (const [name, svg] of Object.entries(made.pictures)) {
    const [was, is] = [read(`${folder}/${name}.svg`), svg].map(cellColors);
    expect([...was!.keys()].sort(), name).toEqual([...is!.keys()].sort());
    // A number at the edge of two colours may fall to either side, by what the engine's Math.exp rounds to.
    for (const [cell, color] of is!) {
      const apart = color.map((channel, n) => Math.abs(channel - was!.get(cell)![n]!));
      expect(Math.max(...apart), `${name}, cell ${cell}: ${MAKE}`).toBeLessThanOrEqual(NEIGHBOUR);
    }
  }
});

/** How far apart the channels of neighbouring colours of the palette are at most. */
const NEIGHBOUR = 4;

/** The colour of each cell of a thumbnail, by "column row". */
function cellColors(svg: string): Map<string, number[]> {
  const cells = new Map<string, number[]>();
  for (const [, color, d] of svg.matchAll(/<path fill="#(\w{6})" d="([^"]*)"/g)) {
    const channels = [0, 2, 4].map((at) => Number.parseInt(color!.slice(at, at + 2), 16));
    for (const [, x, y, run] of d!.matchAll(/M(\d+) (\d+)h(\d+)/g))
      for (let n = 0; n < Number(run); n++) cells.set(`${Number(x) + n} ${y}`, channels);
  }
  return cells;
}

test("docs/HISTORY.md gives every paper the month of its arXiv number, in order", () => {
  const MONTHS =
    "January February March April May June July August September October November December".split(" ");
  const rows = [...read("docs/HISTORY.md").matchAll(/^\| (\w+) (\d{4}) +\|.*\[(\d\d)(\d\d)\.\d{4,5}\]/gm)];
  const dates = rows.map((row) => row.slice(1));
  expect(dates.length).toBe(read("docs/HISTORY.md").match(/arxiv\.org\/abs/g)!.length);
  for (const [month, year, yy, mm] of dates) {
    expect(`${month} ${year}`).toBe(`${MONTHS[Number(mm) - 1]} 20${yy}`);
  }
  const order = dates.map(([, , yy, mm]) => Number(`${yy}${mm}`));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test("docs/HISTORY.md dates attention for translation to 2014 and Attention Is All You Need to 2017", () => {
  const history = read("docs/HISTORY.md");
  expect(history).toMatch(/^\| September 2014 +\|.*Bahdanau.*1409\.0473/m);
  expect(history).toMatch(/^\| June 2017 +\|.*Attention Is All You Need.*1706\.03762/m);
});

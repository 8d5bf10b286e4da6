import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { importTrace, layerMap } from "../../src/inspect/index.ts";
import { fakeIo } from "./fake-io.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-map-atoms-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function mapAtoms(args: string[], options: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo(options);
  const code = await run(["map-atoms", ...args], io);
  return { code, out: io.out(), err: io.err() };
}

const AMIDE = "CC(=O)O.NCC>>CCNC(C)=O";
const MAPPED = "O[C:4]([CH3:5])=[O:6].[CH3:1][CH2:2][NH2:3]>>[CH3:1][CH2:2][NH:3][C:4]([CH3:5])=[O:6]";

test("a reaction gives one object with --json, and one line with its confidence in a pipe", async () => {
  const { code, out, err } = await mapAtoms(["--json", AMIDE]);
  expect([code, err]).toEqual([0, ""]);
  const { confidence, ...rest } = JSON.parse(out);
  expect(rest).toEqual({ reaction: AMIDE, mapped: MAPPED });
  expect(confidence).toBeCloseTo(0.730481, 4);
  expect(await mapAtoms([AMIDE])).toEqual({ code: 0, out: `${MAPPED}\t${confidence.toFixed(6)}\n`, err: "" });
});

test("lines of standard input are answered in their order; bad ones are named, and the others go on", async () => {
  const lines = [
    "CO>>CO",
    "",
    "CCO",
    "CC(C>>CC",
    `C=C${"[C+][C-]".repeat(500)}>>CC`,
    "[1*]C>>[1*]C",
    "CO>>CO",
  ];
  const input = [`${lines.join("\n")}\n`];
  const { code, out, err } = await mapAtoms(["--json", "--as-written"], { input });
  expect(code).toBe(2);
  const objects = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(objects.map(({ reaction }) => reaction)).toEqual(lines);
  expect(objects.map(({ mapped }) => mapped === null)).toEqual([false, true, true, true, true, false, false]);
  expect(objects[5].unknown).toEqual(["[1*]"]);
  expect(objects[6].mapped).toBe("[CH3:1][OH:2]>>[CH3:1][OH:2]");
  const said = [
    "line 2: a reaction must be reactants>>products, got an empty line; write one reaction a line",
    'line 3: a reaction must be reactants>>products or reactants>agents>products, got "CCO"; put >> between',
    'line 4: RDKit must be able to read each molecule, got "CC(C"; check its brackets, rings and valences',
    "line 5: a reaction must have at most the 512 tokens of the model, got 1008 of ",
    "line 6: the model never saw [1*], and reads it as an unknown token",
    "4 of 7 reactions had no answer",
  ];
  expect(err.trimEnd().split("\n")).toHaveLength(said.length);
  for (const [n, line] of err.trimEnd().split("\n").entries()) {
    expect(line.startsWith(`heed map-atoms: ${said[n]}`), line).toBe(true);
  }
  expect(objects[3].error).toBe(said[2]!.slice("line 4: ".length));
});

test("a file gives as many lines as it has, empty ones for what cannot be mapped", async () => {
  const file = path.join(folder, "reactions.txt");
  writeFileSync(file, "CCO\nCO>>CO\n");
  const { code, out, err } = await mapAtoms(["--input", file]);
  expect(code).toBe(2);
  expect(out).toMatch(/^\n\[CH3:1\]\[OH:2\]>>\[CH3:1\]\[OH:2\]\t[01]\.\d{6}\n$/);
  expect(err).toMatch(/^heed map-atoms: line 1: a reaction must be/);
});

test("without a reaction an example is mapped; a terminal gets the heat map of its atoms", async () => {
  const { code, out, err } = await mapAtoms([], { terminal: true });
  expect([code, err]).toEqual([0, "heed map-atoms: no reaction was given; this one is an example\n"]);
  const [mapped, confidence] = out.split("\n");
  expect(mapped).toMatch(/^\[CH3:1\].*>>.*\[F:11\]$/);
  expect(confidence).toBe("confidence 0.957");
  expect(out).toContain("Product atoms");
  expect(out).toContain("\u001b[");
});

test("--svg, --trace draw what product atoms looked at, numbered as the reactions are", async () => {
  const [svg, trace] = [path.join(folder, "m.svg"), path.join(folder, "m.attn")];
  const { code, err } = await mapAtoms(["--svg", svg, "--trace", trace, AMIDE, "nothing", "CO>>CO"]);
  expect(code).toBe(2);
  expect(err).toContain("reaction 2: a reaction must be");
  expect(err).toContain(`drew 2 pictures, the last one ${path.join(folder, "m-3.svg")}`);
  expect(
    readdirSync(folder)
      .filter((name) => name.startsWith("m"))
      .toSorted(),
  ).toEqual(["m-1.attn", "m-1.svg", "m-3.attn", "m-3.svg"]);
  const picture = readFileSync(path.join(folder, "m-1.svg"), "utf8");
  for (const text of ["Product atoms", "Reactant atoms", ">C:4<", "Confidence 0.730."])
    expect(picture).toContain(text);
  const read = importTrace(readFileSync(path.join(folder, "m-1.attn")));
  expect(read.tokens).toEqual({
    products: ["C:1", "C:2", "N:3", "C:4", "C:5", "O:6"],
    reactants: ["C:5", "C:4", "O:6", "O", "C:1", "C:2", "N:3"],
  });
  const map = layerMap(read.layers[0]!);
  expect(Array.from(map.row(0, 2).values)).toEqual([0, 0, 0, 0, 0, 0, 1]);
});

test("the built command maps its example where standard input is nothing, and writes it as a page", () => {
  const main = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "map-atoms", "--html", "page.html"], {
    encoding: "utf8",
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^\[CH3:1\].*>>.*\[F:11\]\t0\.9565\d\d\n$/)]);
  expect(stderr).toContain("no reaction was given; this one is an example\nheed map-atoms: wrote page.html");
  const page = readFileSync(path.join(folder, "page.html"), "utf8");
  expect(page).toContain("<title>Attention from product atoms</title>");
  expect(page).toContain("“F:11” to “F:11”");
});

test("what is wrong with the command line is said in one line, before anything is written", async () => {
  const refuses = async (message: string, ...args: string[]) => {
    const { code, out, err } = await mapAtoms(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain("\n");
  };
  const none = path.join(folder, "none");
  await refuses(`${none} must be readable, got no such file`, "--input", none);
  await refuses(`${folder} must be readable, got a folder`, "--input", folder);
  await refuses("reactions must come from one place, got some as words and --input", "--input", none, AMIDE);
  await refuses("a model folder must hold", "--model", none, AMIDE);
  await refuses("no folder", "--svg", path.join(none, "x.svg"), AMIDE);
  expect(existsSync(none)).toBe(false);
});

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import { readModelFolder, writeModelFolder } from "../../../src/tasks/atom-mapping/files.ts";
import {
  type AtomMapper,
  atomMapTrace,
  DEFAULT_ATOM_MAPPER,
  loadAtomMapper,
} from "../../../src/tasks/atom-mapping/index.ts";
import { Rdkit } from "../../../src/tasks/atom-mapping/rdkit.ts";
import { shippedModel } from "../../../src/tasks/model-folder.ts";

const SHIPPED = shippedModel(DEFAULT_ATOM_MAPPER);

interface Fixture {
  /** So many come first that are of rxnmapper's own tests. */
  package: number;
  reactions: { reaction: string; canonical: boolean; mapped: string; confidence: number }[];
}

const fixture: Fixture = JSON.parse(
  readFileSync(path.resolve("test/fixtures/atom-mapping/reactions.json"), "utf8"),
);

let mapper: AtomMapper;
beforeAll(async () => {
  mapper = await loadAtomMapper();
});
afterAll(() => mapper.dispose());

/** A product of some tens of shares of float32 weights: far below the bar of 1e-4. */
const CLOSE = 5e-6;

const { reactions } = fixture;
test.each([
  ["the reactions of rxnmapper's own tests", reactions.slice(0, fixture.package), 15],
  ["made reactions, with salts, centres, isotopes and radicals", reactions.slice(fixture.package), 32],
])("%s have the maps that it gives, sign by sign, and their confidences", async (_, list, count) => {
  expect(list).toHaveLength(count);
  for (const { reaction, canonical, ...expected } of list) {
    const { mapped, confidence } = await mapper.map(reaction, { canonical });
    expect(mapped, reaction).toBe(expected.mapped);
    expect(Math.abs(confidence - expected.confidence), reaction).toBeLessThan(CLOSE);
  }
});

test("a map has the atoms, where each came from, and what the head looked at", async () => {
  const { numTensors } = tf.memory();
  const map = await mapper.map("[Cl-].C(C)[15N].ICC>>CC[15N]CC", { canonical: false });
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(map.productAtoms).toEqual(["C", "C", "[15N]", "C", "C"]);
  expect(map.reactantAtoms).toEqual(["[Cl-]", "C", "C", "[15N]", "I", "C", "C"]);
  expect(map.origins[2]).toBe(3);
  expect(map.weights[2]).toEqual([0, 0, 0, 1, 0, 0, 0]);
  for (const row of map.weights) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  const trace = atomMapTrace(map);
  expect(trace.tokens.products).toEqual(["C:1", "C:2", "15N:3", "C:4", "C:5"]);
  expect(trace.tokens.reactants).toEqual(
    map.reactantAtoms.map((_, r) => {
      const p = map.origins.indexOf(r);
      return p < 0 ? ["Cl-", "", "", "", "I"][r] : trace.tokens.products![p];
    }),
  );
  expect(trace.layers[0]!.attn!.shape).toEqual([1, 5, 7]);
});

test("a token that the model never saw is read as unknown, and said", async () => {
  const { unknown, confidence } = await mapper.map("[1*]C=C.O>>*CCO", { canonical: false });
  expect(unknown).toEqual(["[1*]"]);
  expect(confidence).toBeCloseTo(0.9988285, 5);
});

test("what cannot be mapped is refused in one sentence, and the next one is mapped", async () => {
  const refuses = (text: string, message: string, canonical = true) =>
    expect(mapper.map(text, { canonical })).rejects.toThrow(message);
  const unreadable = (smiles: string) =>
    `Rdkit: RDKit must be able to read each molecule, got "${smiles}"; check its brackets, rings and valences`;
  await refuses("CC(C>>CC", unreadable("CC(C"));
  await refuses("CC>>CFC", unreadable("CFC"));
  await refuses("CC>>C!", unreadable("C!"));
  await refuses("CC>>C%", 'got "%" as sign 6', false);
  await refuses("C |x|C>>C", "a reaction must be reactants>>products");
  await refuses("CC<-[Pd]>>CC", 'got "<" as sign 3', false);
  // The package's own: 1 + 3 + 500·2 + 3 + 1 tokens.
  await refuses(
    `C=C${"[C+][C-]".repeat(500)}>>CC`,
    'a reaction must have at most the 512 tokens of the model, got 1008 of "C=C[C+][C-]',
    false,
  );
  await refuses(`${"C.".repeat(600)}C>>CC`, "the 512 tokens of the model, got 602 molecules of ");
  await refuses(`${"C".repeat(4097)}>>CC`, "Rdkit: a molecule must have at most 4096 signs, got");
  await refuses(`${"C".repeat(2000)}>>CC`, "Rdkit: a molecule must be small enough for RDKit's stack, got");
  expect((await mapper.map("CO>>CO")).mapped).toBe("[CH3:1][OH:2]>>[CH3:1][OH:2]");
});

test("RDKit leaves nothing behind, gives what it reads, and is no longer used once a molecule overflowed it", async () => {
  const rdkit = await Rdkit.load();
  expect(rdkit.canonical("[CH2:4](C)O")).toBe("CCO");
  expect(rdkit.canonical("[*:3]C")).toBe("C[*:3]");
  expect(rdkit.canonical("[H]OC([H])C")).toBe("CCO");
  // No centre, for it has two neighbours: a radical, as the Python package reads it.
  expect(rdkit.canonical("C[C@H]N")).toBe("C[CH]N");
  expect(rdkit.graph("N#C~[Na+]")).toEqual({
    elements: [7, 6, 11],
    bonds: [
      [0, 1],
      [1, 2],
    ],
  });
  expect(rdkit.numbered("C(O)[CH2]", [3, 0, 0], false)).toBe("[CH2:3](O)[CH2]");
  expect(rdkit.numbered("OCFC", [0, 2, 0, 1], true)).toBe("O[CH2:2]F[CH3:1]");
  expect(() => rdkit.numbered("C1", [1], true)).toThrow("must be able to read each molecule");
  expect(rdkit.isBroken).toBe(false);
  expect(() => rdkit.canonical("C".repeat(2000))).toThrow("small enough");
  expect(rdkit.isBroken).toBe(true);
});

test("the folder that ships is what its reader and writer agree on, byte by byte", async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-atoms-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  await useHeedBackend();
  const read = readModelFolder(SHIPPED);
  writeModelFolder(dir, read, path.join(SHIPPED, "LICENSE"));
  read.model.dispose();
  for (const name of readdirSync(SHIPPED)) {
    const [written, shipped] = [dir, SHIPPED].map((one) => readFileSync(path.join(one, name)));
    expect(written!.equals(shipped!), name).toBe(true);
  }
});

test("a folder that heed did not write is refused in one sentence", async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-atoms-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const refuses = async (name: string, change: (text: string) => string, message: string) => {
    cpSync(SHIPPED, dir, { recursive: true });
    writeFileSync(path.join(dir, name), change(readFileSync(path.join(dir, name), "utf8")));
    await expect(loadAtomMapper(dir)).rejects.toThrow(message);
  };
  await refuses("card.json", (text) => text.replace('"head": 5', '"head": 8'), "got mapping {");
  await refuses("card.json", (text) => text.replace('"width": 256', '"width": "wide"'), "got model {");
  await refuses("vocabulary.json", () => '{"tokens":"C"}', "got tokens that are no list of texts");
  await refuses("vocabulary.json", (text) => text.replace('"[UNK]"', '"?!"'), "got none of the name [UNK]");
  await refuses(
    "vocabulary.json",
    (text) => text.replace('"[PAD]",', ""),
    "embedding/token must be F32 [590, 128]",
  );
  await expect(loadAtomMapper(path.join(dir, "none"))).rejects.toThrow("a model folder must hold");
});

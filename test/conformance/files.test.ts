import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  bits,
  inputsOf,
  isVisible,
  philox,
  readNumbers,
  sizesOf,
  toLayout,
} from "../../conformance/inputs.mjs";
import { compileProgram } from "../../src/core/program.ts";
import { isAllowed } from "../../src/core/program-rows.ts";
import { RandomStream } from "../../src/core/random.ts";
import { validate } from "./schema.ts";
import { compare, FOLDER, readJson, suiteFiles, suites, taskOf } from "./suite.ts";

const root = path.dirname(FOLDER);
const cases = suites.flatMap(([file, suite]) => suite.cases.map((c) => ({ file, c })));
const answered = cases.filter(({ c }) => c.expected);
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

describe("The files of conformance/", () => {
  it("follow conformance/schema.json", () => {
    const schema = readJson("schema.json");
    for (const [file, suite] of suites) expect(validate(suite, schema).slice(0, 5), file).toEqual([]);
  });

  it("are refused by the schema when a field is missing, misspelt or of another kind", () => {
    const schema = readJson("schema.json");
    const [, suite] = suites[0]!;
    const [first] = suite.cases;
    const problems = (changed: object) => validate({ ...suite, cases: [{ ...first, ...changed }] }, schema);
    expect(problems({})).toEqual([]);
    expect(problems({ seed: "1" })).toEqual(["cases 0 seed is no integer"]);
    expect(problems({ sead: 1 })).toEqual(["cases 0 must not have sead"]);
    expect(problems({ error: "HEADS" })).toEqual(["cases 0 is not exactly one of what it may be"]);
    expect(problems({ options: { window: { left: "2" } } })).toEqual([
      "cases 0 options window left is no integer",
    ]);
    expect(problems({ expected: { outputs: [1] } })).toEqual([
      "cases 0 expected outputs is none of output, lse, weights, dq, dk, dv, dbias, dsink",
    ]);
  });

  it("come from the reference, PyTorch, Keras and ONNX, with their versions", () => {
    expect(suiteFiles).toEqual([
      "heed-functions.json",
      "heed-sizes.json",
      "heed.json",
      "keras.json",
      "onnx.json",
      "torch.json",
    ]);
    const pinned = readFileSync(path.join(root, "tools/fixtures/conformance/requirements.txt"), "utf8");
    const versions = Object.fromEntries(
      [...pinned.matchAll(/^(\w+)==(.+)$/gm)].map(([, name, n]) => [name!, n!]),
    );
    for (const name of ["torch", "keras", "onnx"]) {
      const suite = readJson(`${name}.json`);
      expect(suite.versions).toMatchObject({ [name]: versions[name], numpy: versions.numpy });
      expect(suite.made).toBe(`tools/fixtures/conformance/from_${name}.py`);
      expect(suite.cases.length).toBeGreaterThan(15);
    }
    expect(readJson("onnx.json").versions.opset).toBe("25");
  });

  it("have a case for every sharp edge from 3.1 to 3.19 and from 3.24 to 3.26, named with its number", () => {
    const edges = new Set(cases.map(({ c }) => c.edge));
    const wanted = [...range(1, 19), ...range(24, 26)].map((n) => `3.${n}`);
    expect(wanted.filter((edge) => !edges.has(edge))).toEqual([]);
    const misnamed = cases.filter(({ c }) => c.name.match(/^(3\.\d+) /)?.[1] !== c.edge);
    expect(misnamed.map(({ c }) => c.name)).toEqual([]);
  });

  it("have names that are theirs alone, and at most 5 MB together", () => {
    for (const [, suite] of suites) {
      const names = suite.cases.map(({ name }) => name);
      expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
    }
    const bytes = suiteFiles.map((file) => statSync(path.join(FOLDER, file)).size);
    expect(bytes.reduce((sum, n) => sum + n)).toBeLessThan(5e6);
  });

  it("say which gradients they expect: of bias and sink wherever those of q are expected", () => {
    const isReference = (file: string) => file.startsWith("heed");
    for (const { file, c } of answered.filter(({ file }) => isReference(file))) {
      if (!c.expected!.dq) continue;
      expect([file, c.name, Boolean(c.expected!.dbias)]).toEqual([file, c.name, Boolean(c.options?.bias)]);
      expect(Boolean(c.expected!.dsink), c.name).toBe(c.options?.sink !== undefined);
    }
  });

  it("leave no result so wide a tolerance that anything would pass", () => {
    const wide = answered.flatMap(({ file, c }) =>
      Object.entries(c.tolerance!.float32)
        .filter(([name, tolerance]) => {
          const sizes = readNumbers(c.expected![name]!).filter(Number.isFinite).map(Math.abs);
          return tolerance > 0.01 * Math.max(1, ...sizes);
        })
        .map(([name, tolerance]) => `${file}: ${c.name}: ${name} ${tolerance}`),
    );
    expect(wide).toEqual([]);
  });
});

describe("The inputs of a conformance case", () => {
  it("come from Philox4x32-10 as Random123 publishes it", () => {
    expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const [c, k] = [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
    ];
    expect(philox(c!, k!)).toEqual([0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
  });

  it("are the numbers of RandomStream, whose bits they share", () => {
    const stream = new RandomStream(601, 3);
    expect([...bits(601, 3, 1001)]).toEqual(Array.from({ length: 1001 }, () => stream.bits()));
  });

  it("are regenerated bit for bit: the first numbers of every case are those in its file", () => {
    for (const { c } of cases) {
      const inputs = inputsOf(c);
      for (const name of ["q", "k", "v", "dout"] as const) {
        expect([...inputs[name].subarray(0, 4)], `${c.name}: ${name}`).toEqual([
          ...readNumbers(c.first[name]!),
        ]);
        expect(inputs[name].every((x) => Number.isNaN(x) || Math.fround(x) === x)).toBe(true);
      }
    }
  });

  it("are hidden and seen as heed's own program has it", () => {
    for (const { c } of answered) {
      const inputs = inputsOf(c);
      const program = compileProgram("test", sizesOf(c), taskOf(c).options);
      const { B, H, T, S } = sizesOf(c);
      for (let n = 0; n < B * H * T * S; n++) {
        const place = [
          Math.floor(n / (H * T * S)),
          Math.floor(n / (T * S)) % H,
          Math.floor(n / S) % T,
          n % S,
        ];
        const [b, h, i, j] = place as [number, number, number, number];
        if (isVisible(c, inputs, b, h, i, j) === isAllowed(program, b, h, i, j)) continue;
        expect.fail(`${c.name}: ${place}`);
      }
    }
  });

  it("hold NaN in what is hidden, where a case says so", () => {
    const planted = answered.filter(({ c }) => c.nan === "hidden");
    const clean = planted.filter(
      ({ c }) => !Object.values(inputsOf(c)).some((x) => x instanceof Float64Array && x.some(Number.isNaN)),
    );
    expect(planted.length).toBeGreaterThan(20);
    expect(clean.map(({ c }) => c.name)).toEqual([]);
    expect(answered.filter(({ c }) => !c.nan && inputsOf(c).v.some(Number.isNaN))).toEqual([]);
  });

  it("stand in the order of the layout: b t h d, and the same without padding", () => {
    const sizes = { B: 2, T: 2, S: 2, H: 2, D: 1 };
    const numbers = Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const seed = { name: "", seed: 0, sizes, first: {} };
    expect([...toLayout({ ...seed, layout: "bthd" }, "q", numbers)]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    const options = { queryLengths: [1, 2], keyLengths: [2, 0] };
    expect([...toLayout({ ...seed, options, layout: "thd" }, "q", numbers)]).toEqual([0, 2, 4, 6, 5, 7]);
    expect([...toLayout({ ...seed, options, layout: "thd" }, "k", numbers)]).toEqual([0, 2, 1, 3]);
    expect([...toLayout({ ...seed, options, layout: "thd" }, "lse", numbers)]).toEqual([...numbers]);
  });
});

describe("The comparison with what a case expects", () => {
  const [, heed] = suites.find(([file]) => file === "heed.json")!;
  const c = heed.cases.find(
    ({ exact, expected }) => exact?.includes("weights") && expected?.lse?.includes("-Infinity"),
  )!;
  const right = Object.fromEntries(Object.entries(c.expected!).map(([name, x]) => [name, readNumbers(x)]));
  const changed = (name: string, e: number, x: number) => {
    const values = Float64Array.from(right[name]!);
    values[e] = x;
    return compare(c, "float32", { ...right, [name]: values });
  };

  it("passes the expected numbers, and fails one number beyond its tolerance", () => {
    expect(compare(c, "float32", right)).toEqual([]);
    const e = right.output!.findIndex((x) => x !== 0);
    const tolerance = c.tolerance!.float32.output!;
    expect(changed("output", e, right.output![e]! + 0.9 * tolerance)).toEqual([]);
    expect(changed("output", e, right.output![e]! + 1.1 * tolerance)).toHaveLength(1);
    expect(changed("output", e, Number.NaN)).toHaveLength(1);
  });

  it("fails a zero that is not exact, an infinity that is not there, and what is missing or came unasked", () => {
    expect(changed("weights", right.weights!.indexOf(0), 1e-30)).toHaveLength(1);
    expect(changed("lse", right.lse!.indexOf(-Infinity), -1e9)).toHaveLength(1);
    const { lse: _, ...rest } = right;
    expect(compare(c, "float32", rest)).toEqual(["lse is missing"]);
    expect(compare({ ...c, without: ["dv"] }, "float32", right)).toEqual(["dv came unasked"]);
  });
});

describe("conformance/README.md", () => {
  const readme = readFileSync(path.join(FOLDER, "README.md"), "utf8");

  it("counts the cases of every file", () => {
    expect(readme).toContain(`\n${cases.length} small problems`);
    for (const [file, suite] of suites) {
      const row = readme.split("\n").find((line) => line.startsWith(`| \`${file}\``));
      expect(row?.match(/(\d+) \|$/)?.[1], file).toBe(String(suite.cases.length));
    }
  });

  it("has every option, field and edge of the files", () => {
    const { $defs } = readJson("schema.json");
    const described = [...Object.keys($defs.options.properties), ...Object.keys($defs.array.properties)];
    const fields = Object.keys($defs.case.properties).filter(
      (name) => name !== "sizes" && name !== "options",
    );
    for (const name of [...described, ...fields]) expect(readme, name).toContain(`\`${name}\``);
    for (const { c } of cases) if (c.edge) expect(readme, c.edge).toContain(`\n| ${c.edge.padEnd(4)} |`);
  });
});

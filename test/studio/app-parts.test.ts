import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/core/safetensors.ts";
import { COLORS } from "../../src/elements/colors.ts";
import { modelOfTrace } from "../../src/elements/model.ts";
import { createTrace, traceTensor, writeTrace } from "../../src/inspect/index.ts";
import { readPlace, writePlace } from "../../studio/app/address.ts";
import { sizeText } from "../../studio/app/bytes-text.ts";
import { cellFacts } from "../../studio/app/cell-facts.ts";
import { fileKind } from "../../studio/app/file-kind.ts";
import { fileName } from "../../studio/app/formats.ts";
import { counterpart, joinedModel } from "../../studio/app/joined-model.ts";
import { exampleTrace, SENTENCE } from "../support/elements.ts";
import { PAGES } from "../support/studio.ts";

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

describe("the kind of a file", () => {
  test("is told by its first bytes", () => {
    const tensor = { dtype: "F32" as const, shape: [1], data: Float32Array.of(1) };
    expect(fileKind(writeTrace(exampleTrace(SENTENCE)))).toBe("trace");
    expect(fileKind(encodeSafetensors({ w: tensor }))).toBe("checkpoint");
    expect(fileKind(bytes("GGUF\u0003"))).toBe("checkpoint");
    expect(fileKind(bytes("\u0089HDF\r\n"))).toBe("checkpoint");
    expect(fileKind(bytes("\u0080\u0002\u008a\nl"))).toBe("checkpoint");
    const zip = (name: string) =>
      bytes(`PK\u0003\u0004${"\0".repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}`);
    expect(fileKind(zip("attn.npy"))).toBe("trace");
    expect(fileKind(zip("config.json"))).toBe("checkpoint");
    expect(fileKind(bytes("\u0089PNG\r\n"))).toBe("picture");
    expect(fileKind(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0))).toBe("picture");
    expect(fileKind(bytes("RIFF\0\0\0\0WEBP"))).toBe("picture");
    expect(fileKind(bytes("GIF89a"))).toBe("picture");
    expect(fileKind(bytes(""))).toBe("empty");
    for (const text of ["[[0.5]]", "a,b\n", "hello", "\0".repeat(20)])
      expect(fileKind(bytes(text))).toBe("trace");
  });
});

describe("the address", () => {
  test("keeps documents beside what others wrote, and takes no id that is none", () => {
    const fragment = writePlace("#view=flow&l=1", { document: "caption", compared: "file-2" });
    expect(fragment).toBe("#view=flow&l=1&d=caption&cmp=file-2");
    expect(readPlace(fragment)).toEqual({ document: "caption", compared: "file-2" });
    expect(writePlace(fragment, { document: "caption", compared: undefined })).toBe(
      "#view=flow&l=1&d=caption",
    );
    expect(readPlace("#d=<b>&cmp=../x")).toEqual({ document: undefined, compared: undefined });
    expect(readPlace("")).toEqual({ document: undefined, compared: undefined });
  });
});

describe("two documents", () => {
  const layer = (name: string, H: number, T: number) => ({
    ...{ name, alignQ: `t${T}`, alignK: `t${T}` },
    attn: traceTensor([H, T, T], new Float32Array(H * T * T).fill(1 / T)),
  });
  const tokens = { t2: ["a", "b"], t3: ["a", "b", "c"] };
  const model = (...layers: ReturnType<typeof layer>[]) =>
    modelOfTrace("test", createTrace({ tokens, layers }));
  const a = model(layer("x", 5, 2), layer("y", 1, 3));

  test("are one model of both their layers", () => {
    const b = model(layer("z", 2, 2));
    const joined = joinedModel(a, b);
    expect(joined.layers.map(({ name }) => name)).toEqual(["A: x", "A: y", "B: z"]);
    expect(joined.layers[2]!.map).toBe(b.layers[0]!.map);
  });

  test("compare the same head where both have it, else the first of its size", () => {
    expect(counterpart(a, model(layer("z", 7, 2)), 0, 4)).toEqual([2, 4]);
    expect(counterpart(a, model(layer("z", 2, 2)), 0, 4), "the last head there is").toEqual([2, 1]);
    expect(counterpart(a, model(layer("z", 3, 3), layer("w", 2, 2)), 0, 0)).toEqual([3, 0]);
    expect(counterpart(a, model(layer("z", 2, 2)), 1, 0)).toBeUndefined();
  });
});

describe("the facts of a weight", () => {
  test("are its rank among visible keys, the strongest keys, and its score", () => {
    const [q, k] = [
      traceTensor([1, 2, 4], [1, 0, 0, 0, 2, 0, 0, 0]),
      traceTensor([1, 2, 4], [1, 9, 9, 9, 3, 0, 0, 0]),
    ];
    // Rows: query 0 sees key 0 alone; query 1 has scores 1 and 3.
    const lse = traceTensor([1, 2], [0.5, Math.log(Math.exp(1) + Math.exp(3))]);
    const layers = [{ alignQ: "s", alignK: "s", q, k, lse, maskSpec: { right: 0 } }];
    const trace = createTrace({ tokens: { s: ["a", "b"] }, layers });
    const model = modelOfTrace("test", trace);
    const facts = (query: number, key: number) =>
      cellFacts(model.layers[0]!, trace.layers[0], [0, query, key], 8);
    expect(facts(0, 1)).toMatchObject({ kind: "masked", seen: 1 });
    const of = facts(1, 0);
    expect(of).toMatchObject({ kind: "weight", rank: 2, seen: 2, score: { raw: 2, scaled: 1, scale: 0.5 } });
    expect(of.top.map(({ key }) => key)).toEqual([1, 0]);
    expect(of.weight).toBeCloseTo(1 / (1 + Math.exp(2)), 6);
    expect(cellFacts(model.layers[0]!, undefined, [0, 1, 0], 8).score).toBeUndefined();
  });
});

test("sizes and names of files are short", () => {
  expect([0, 999, 1000, 4495, 123_456, 7.2e9, 3e12].map(sizeText)).toEqual([
    ...["0 B", "999 B", "1.0 kB", "4.5 kB", "123 kB", "7.2 GB", "3000 GB"],
  ]);
  expect(fileName("A <b>picture</b>/..", "heatmap", "png")).toBe("A-b-picture-b-heatmap.png");
  expect(fileName(undefined, "flow", "svg")).toBe("attention-flow.svg");
});

describe("the pages that are built", () => {
  const pages = readdirSync(PAGES).filter((file) => file.endsWith(".html"));
  const read = (file: string) => readFileSync(path.join(PAGES, file), "utf8");

  test("begin alike: the encoding first, the width of the device, an icon, a title, one header and one main part", () => {
    for (const file of pages) {
      const html = read(file);
      expect(html, file).toMatch(
        /<head>\s*<meta charset="utf-8">\s*<meta name="viewport" content="width=device-width/,
      );
      for (const once of [
        /<link rel="icon" href="data:,">/g,
        /<title>[^<]+<\/title>/g,
        /<page-header/g,
        /<main id="main"/g,
      ])
        expect(html.match(once)?.length, `${file}: ${once}`).toBe(1);
    }
  });

  test("have the colours of the elements, and no others", () => {
    const wanted = COLORS.replaceAll(/\s/g, "");
    for (const file of pages) {
      const sheets = [...read(file).matchAll(/<link rel="stylesheet"[^>]*href="([^"]+)"/g)].map(([, sheet]) =>
        read(sheet!),
      );
      // Names with their values as the builder writes them: without spaces, and white as #fff.
      const built = sheets.join("").replaceAll(/\s/g, "").replaceAll("#ffffff", "#fff");
      for (const line of wanted.replaceAll("#ffffff", "#fff").split(";").filter(Boolean))
        expect(built.split(line).length - 1, `${file}: ${line}`).toBe(1);
    }
  });
});

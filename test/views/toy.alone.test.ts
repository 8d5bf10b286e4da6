import { expect, test, vi } from "vitest";
import { fakeIo } from "../cli/fake-io.ts";

/** A view that nobody else knows: a record and its place in the list, and nothing more. */
vi.mock("../../src/views/compare.ts", () => ({
  compareView: {
    name: "toy",
    label: "Toy",
    title: "A toy",
    caption: "A toy to play with.",
    needs: ["layers"],
    chooses: ["layer", "query"],
    svg: () => "<svg>toy</svg>",
    text: () => "toy in a terminal",
    cells: (trace: { layers: unknown[] }) => ({
      layer: trace.layers[0],
      head: 0,
      map: undefined,
      shown: "toy",
    }),
    page: (_: unknown, __: unknown, draw: () => string) => [{ caption: "A toy on a page.", svg: draw() }],
  },
}));

const { drawTrace, pageFigures, PNG_VIEWS, showTrace, TERMINAL_VIEWS, VIEWS } = await import(
  "../../src/views/index.ts"
);
const { RECORDS } = await import("../../src/views/list.ts");
const { HeedFigure } = await import("../../src/elements/figure.ts");
const { run } = await import("../../src/cli/program.ts");
const { selfTrace } = await import("./support.ts");

test("a view is one record: whatever is made from the list has it", async () => {
  const trace = selfTrace();
  const view = "toy" as never;
  expect(VIEWS).toContain("toy");
  expect(TERMINAL_VIEWS).toContain("toy");
  expect(PNG_VIEWS).toContain("toy");
  expect(drawTrace(trace, { view })).toBe("<svg>toy</svg>");
  expect(showTrace(trace, { view, depth: 1, unicode: true, columns: 80 })).toBe("toy in a terminal");
  expect(pageFigures(trace).map(({ caption }) => caption)).toContain("A toy on a page.");
  // The tab of <heed-view>, and by that the tag <heed-toy>.
  const tab = HeedFigure.tabs.find(({ name }) => name === "toy");
  expect(tab?.label).toBe("Toy");
  expect(tab?.has({ trace, layers: [] })).toBe(true);
  // What docs/VIEWS.md is made from.
  expect(RECORDS.map(({ name, caption }) => `${name}: ${caption}`)).toContain("toy: A toy to play with.");
  for (const command of ["show", "svg", "png"]) {
    const io = fakeIo();
    await run([command, "--help"], io);
    expect(io.out().replace(/\s+/g, " "), command).toMatch(/--view <view> [^-]*\btoy\b/);
  }
  const io = fakeIo();
  await run(["svg", "--help"], io);
  expect(io.out().replace(/\s+/g, " ")).toContain("the query, from 0: for neuron, toy,");
});

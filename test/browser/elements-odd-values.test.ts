import { afterAll, describe, expect } from "vitest";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { exampleTrace, type Opened, openPage } from "../support/elements.ts";

const browser = browserForTests();
const LOAD = '<script type="module" src="/heed-figures.js"></script>';
const ELEMENTS = ["heatmap", "flow", "grid", "compare", "image", "view", "figure"];
const PROPERTIES = [
  ...["state", "store", "trace", "linked", "weights", "rowTokens", "columnTokens", "mask", "layer", "head"],
  ...["palette", "colorScale", "theme", "heading", "headingLevel", "src", "other", "mass", "tab", "shown"],
  ...["through", "step", "heads"],
];

/** One page for all elements, and little to draw: 2,500 of them are made. */
let opened: Promise<Opened> | undefined;
const page = async () => {
  opened ??= openPage(
    browser(),
    `${LOAD}${ELEMENTS.map((name) => `<heed-${name} src="/trace.attn"></heed-${name}>`).join("")}`,
    exampleTrace(["a", "b"], { L: 2, H: 2, rows: 1 }),
  );
  return (await opened).page;
};
afterAll(async () => (await opened)?.close());

describe("odd values of properties", () => {
  for (const name of ELEMENTS)
    itInChromium(`<heed-${name}> shows what is wrong and never throws through the page`, async () => {
      const tag = `heed-${name}`;
      const wrong = await (await page()).evaluate(
        async ([wanted, properties]) => {
          const found: string[] = [];
          await customElements.whenDefined(wanted);
          const test = new AbortController();
          const { signal } = test;
          addEventListener("error", (event) => found.push(`error: ${event.message}`), { signal });
          addEventListener("unhandledrejection", (event) => found.push(`rejected: ${event.reason}`), {
            signal,
          });
          const turn = () => new Promise((resolve) => setTimeout(resolve));
          const odd: Record<string, unknown> = {
            null: null,
            undefined: undefined,
            true: true,
            NaN: Number.NaN,
            minus: -1,
            large: 2 ** 53,
            text: "<b>",
            list: [],
            holes: [null, undefined, {}],
            object: {},
            map: new Map(),
            function: () => 1,
            bytes: new Uint8Array(9),
            selection: { layer: "x", head: {}, query: null, key: -3, pins: "no", byKey: 7 },
            pins: { pins: [null, 3, { query: "a" }], palette: 5, view: {} },
            frozen: Object.freeze({ value: 1, set: 2, subscribe: 3 }),
          };
          const first = document.querySelector(wanted) as HTMLElement & { trace: unknown };
          while (!first.trace) await turn();
          const good = first.trace;
          const own = properties.filter((property) => property in first);
          const place = document.querySelector("main")!;
          // Narrow: what is painted is small.
          place.style.width = "15rem";
          for (const [kind, value] of Object.entries(odd)) {
            const before = found.length;
            const elements = own.map((property) => {
              const element = document.createElement(wanted) as HTMLElement & Record<string, unknown>;
              element.trace = good;
              place.append(element);
              return { property, element };
            });
            await turn();
            for (const { property, element } of elements)
              try {
                element[property] = value;
                void element.state;
              } catch (error) {
                found.push(`${property} throws ${error}`);
              }
            await turn();
            await turn();
            for (const { element } of elements) element.remove();
            if (found.length > before) found.push(`… for the value ${kind}`);
          }
          test.abort();
          return found;
        },
        [tag, PROPERTIES] as const,
      );
      expect(wrong.slice(0, 20)).toEqual([]);
    });
});

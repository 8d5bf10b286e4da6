import { describe, expect } from "vitest";
import { fromHash } from "../../studio/playground/hash.ts";
import { PRESETS } from "../../studio/playground/presets/index.ts";
import { gridsOf } from "../../studio/playground/values.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { apart, type Copied, type Nested, runCopied } from "../support/copied-code.ts";
import { overflow, violations } from "../support/elements.ts";
import { askedBeyond, type OpenedPage, openStudio } from "../support/studio-pages.ts";

const browser = browserForTests();

/** What the page of a state shows: its code and its numbers. */
async function shownAt(
  { page }: OpenedPage,
  hash: string,
): Promise<{ code: string; shown: Record<string, Nested> }> {
  return page.evaluate(async (to) => {
    const playground = document.querySelector("attention-playground")!;
    location.hash = to;
    await new Promise((resolve) => setTimeout(resolve));
    await playground.updateComplete;
    const failure = playground.shadowRoot!.querySelector(".failure")?.textContent;
    if (failure) throw new Error(`${to}: ${failure}`);
    return { code: playground.code, shown: JSON.parse(JSON.stringify(playground.shown)) };
  }, hash);
}

/** Other states than those that presets start from: every control of attention, T ≠ S, cells that were written into. */
const STATES = [
  ...["sparsemax", "entmax", "sigmoid", "softmaxPlusOne", "hardmax"].map(
    (_, n) => `preset=scaled-dot&normalize=${n + 1}&tau=0.7&alpha=1.3`,
  ),
  "preset=scaled-dot&causal=1&cap=2&T=5&S=7&q0.0=3.25&v1.2=-4.5",
  "preset=additive&causal=2&left=2&T=3&S=7&D=5",
  "preset=general&left=1&right=0&T=7&S=3&angle=75&tau=1.5",
  "preset=location&S=1&T=1&D=1",
  "preset=local&left=8&right=0&T=5&S=7&cap=1.5",
  "preset=hard&task=2&causal=2&T=3&S=5",
  "preset=sample&task=2&seed=11&T=8&S=8",
  "preset=gumbel&hard=1&gumbel=0.3&seed=5&causal=1",
  "preset=sink&sink=2.5&cap=3&task=2",
  "preset=multi-head&heads=4&causal=2&T=3&S=7&D=6",
  "preset=self&task=2&causal=1&T=7",
  "preset=top-k&keep=8&S=3",
  "preset=gaussian-glimpse&uy=-3.5&sx=2.2&dx=1.75",
  "preset=spatial-transformer&turn=35&zoom=1.2&moveX=-0.6",
  "preset=cbam&kernel=3&gain=1.5&shift=-1",
  "preset=crop&row=14&column=14",
];

describe("the playground", () => {
  itInChromium(
    "draws every preset offline, and each copied code gives in Node what the page shows",
    async () => {
      const opened = await openStudio(browser(), "playground.html");
      const hashes = [...PRESETS.map(({ name }) => `preset=${name}`), ...STATES];
      const states: { hash: string; code: string; shown: Record<string, Nested> }[] = [];
      for (const hash of hashes) states.push({ hash, ...(await shownAt(opened, hash)) });
      const programs = states.map(({ hash, code }): Copied => {
        const { preset, values, edits } = fromHash(hash);
        return { code, shows: preset.program(values, gridsOf(values, edits)).shows };
      });
      const answers = runCopied(programs);
      const wrong = states.flatMap(({ hash, shown }, n) =>
        Object.entries(shown)
          .map(([name, numbers]) => ({ hash, name, apart: apart(numbers, answers[n]![name]!) }))
          .filter((part) => !(part.apart <= 1e-5)),
      );
      expect(wrong).toEqual([]);
      expect(opened.said).toEqual([]);
      expect(askedBeyond(opened.requests)).toEqual([]);
      await opened.close();
    },
  );

  itInChromium("asks for less than 300 kB, gzipped, before it shows its numbers", async () => {
    const opened = await openStudio(browser(), "playground.html");
    await opened.page.locator("stage-map").first().waitFor();
    expect(opened.gzipped()).toBeLessThan(300_000);
    expect(opened.gzipped()).toBeGreaterThan(30_000);
    await opened.close();
  });

  itInChromium(
    "keeps its numbers in the address, takes bad ones for the start's, and goes back",
    async () => {
      const opened = await openStudio(
        browser(),
        "playground.html#preset=additive&T=3&k1.0=2.5&S=99&tau=x&evil=<b>",
      );
      const { page } = opened;
      const state = () =>
        page.evaluate(() => {
          const { state } = document.querySelector("attention-playground")!;
          const { T, S, tau } = state.values;
          return { preset: state.preset.name, T, S, tau, edits: state.edits };
        });
      expect(await state()).toEqual({ preset: "additive", T: 3, S: 8, tau: 1, edits: { "k1.0": 2.5 } });
      await page.getByRole("button", { name: "Location (Luong)" }).click();
      expect(new URL(page.url()).hash).toBe("#preset=location&T=3&S=8&k1.0=2.5");
      await page.goBack();
      await page.getByRole("heading", { name: "Additive (Bahdanau)" }).waitFor();
      expect(opened.said).toEqual([]);
      await opened.close();
    },
  );

  itInChromium(
    "lights terms as their sliders move, and leads from a term to its slider, by keyboard",
    async () => {
      const { page, said, close } = await openStudio(browser(), "playground.html#preset=scaled-dot");
      const lit = () =>
        page.evaluate(() =>
          [
            ...document
              .querySelector("attention-playground")!
              .shadowRoot!.querySelector("math-formula")!
              .shadowRoot!.querySelectorAll(".lit"),
          ].map((term) => (term as Element).getAttribute("data-term")),
        );
      await page.getByLabel("Temperature τ").focus();
      await page.keyboard.press("ArrowRight");
      expect(await page.getByLabel("Temperature τ").inputValue()).toBe("1.1");
      expect(await lit()).toEqual(["tau"]);
      await page.getByRole("button", { name: /^1\/√D/ }).focus();
      await page.keyboard.press("Enter");
      expect(await lit()).toContain("scale");
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.id))
        .toBe("control-D");
      // A term in the formula leads there too.
      await page.locator('math-formula [data-term="tau"]').first().click();
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.id))
        .toBe("control-tau");
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium("takes numbers by keyboard, and one cursor goes through all stages", async () => {
    const { page, said, close } = await openStudio(browser(), "playground.html#preset=scaled-dot&task=2");
    const weights = () =>
      page.evaluate(
        () =>
          (document.querySelector("attention-playground")!.shown as { weights: number[][][] }).weights[0]!,
      );
    const before = await weights();
    await page.getByLabel("queries q, row 0, column 0").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.type("4");
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await weights())[1]).not.toEqual(before[1]);
    expect((await weights())[0]).toEqual(before[0]);
    await page
      .getByRole("gridcell", { name: /^t0, s0: / })
      .first()
      .focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    const at = await page.evaluate(() =>
      [...document.querySelector("attention-playground")!.shadowRoot!.querySelectorAll("stage-map")].map(
        ({ row, column }) => [row, column],
      ),
    );
    expect(at).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
      [1, -1],
    ]);
    await page.getByText(/^Query t1 and key s1: q·k /).waitFor();
    await page.getByRole("button", { name: "Undo what I wrote" }).click();
    await expect.poll(weights).toEqual(before);
    expect(said).toEqual([]);
    await close();
  });

  const modes = {
    light: ["preset=causal&cap=3", { colorScheme: "light" }],
    dark: ["preset=gaussian-glimpse", { colorScheme: "dark" }],
    "forced colours": ["preset=squeeze-excitation", { forcedColors: "active" }],
    "a page of 320 px": ["preset=gaussian-glimpse", { viewport: { width: 320, height: 640 } }],
  } as const;
  for (const [mode, [hash, options]] of Object.entries(modes))
    itInChromium(`is without a violation to axe in ${mode}, and fits the page`, async () => {
      const opened = await openStudio(browser(), `playground.html#${hash}`, options);
      if (fromHash(hash).preset.figure) await opened.page.locator(".figure svg").first().waitFor();
      expect(await violations(opened.page)).toEqual([]);
      expect(await overflow(opened.page)).toBe(0);
      expect(opened.said).toEqual([]);
      await opened.close();
    });
});

/** The models of the tasks run in a page: with the weights that ship, in one Chromium, on the page that ships. */
import { afterAll, beforeAll, describe, expect } from "vitest";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { answerOf, type LivePage, openLive, openTask } from "./live-page.ts";

const browser = browserForTests();
const TEN = "Can you tell me where I can buy a ticket?";
/** For what several models do one after the other. */
const PATIENT = { timeout: 20_000 };

describe("a page of live models", () => {
  let live: LivePage;
  beforeAll(async () => {
    if (browser()) live = await openLive(browser());
  });
  afterAll(() => live?.close());

  itInChromium(
    "shows a run that was made earlier, then the same by the model itself, on threads",
    async () => {
      const { page } = live;
      await expect
        .poll(() => answerOf(page).textContent(), PATIENT)
        .toBe("Où est la gare, et quand part le train ?");
      await openTask(page, "Translation");
      expect(await answerOf(page).textContent()).toBe("Où est la gare, et quand part le train ?");
      expect(await page.locator("[data-status]").textContent()).toMatch(/on \d+ threads\./);
    },
  );

  itInChromium("tells the page of the trace of what was typed last", async () => {
    const { page } = live;
    await page.evaluate(() => {
      const told: unknown[] = [];
      Object.assign(globalThis, { told });
      document.addEventListener("trace-change", (event) =>
        told.push((event as CustomEvent).detail.trace.tokens.src),
      );
    });
    await page.getByLabel("An English sentence").fill(TEN);
    await expect.poll(() => answerOf(page).textContent(), PATIENT).toMatch(/^Pouvez-vous me dire où je peux/);
    const told = await page.evaluate(() => (globalThis as unknown as { told: string[][] }).told.at(-1));
    expect(told).toContain("ticket");
  });

  itInChromium("translates the beginning of 10,000 words, and says so", async () => {
    const { page } = live;
    const field = page.getByLabel("An English sentence");
    await field.fill(Array.from({ length: 2500 }, () => "I am very tired.").join(" "));
    await page.getByText("9800 more are left out").waitFor({ timeout: 60_000 });
    expect(await answerOf(page).textContent()).toMatch(/^Je suis très fatigué/);
    await field.fill(TEN);
    await expect.poll(() => answerOf(page).textContent(), PATIENT).toMatch(/^Pouvez-vous me dire/);
  });

  itInChromium("translates into other languages, and by the recurrent model", async () => {
    const { page } = live;
    await page.getByLabel("Into").selectOption("de");
    await expect.poll(() => answerOf(page).textContent(), PATIENT).toMatch(/Fahrkarte kaufen/);
    await page.getByLabel("Model to use").selectOption("translation-en-fr");
    await expect.poll(() => answerOf(page).textContent(), PATIENT).toMatch(/billet/);
  });

  itInChromium(
    "goes on where the reader was when it is loaded anew, and a second page has its own",
    async () => {
      const { page, context } = live;
      await page.getByLabel("An English sentence").fill("Good evening.");
      await page.reload();
      await expect.poll(() => page.getByLabel("An English sentence").inputValue()).toBe("Good evening.");
      await expect.poll(() => answerOf(page).textContent(), PATIENT).toMatch(/^Bonsoir/);
      const other = await context.newPage();
      await other.goto(page.url());
      await openTask(other, "Translation");
      expect(await answerOf(other).textContent()).toBe("Où est la gare, et quand part le train ?");
      await other.close();
    },
  );

  itInChromium("captions, finds and answers, says what is no picture, and takes one that is", async () => {
    const { page } = live;
    await openTask(page, "Captions");
    expect(await answerOf(page).textContent()).toBe("Caption: a boot left of a trouser above a bag");
    const picker = page.getByLabel("Your own");
    await picker.setInputFiles({
      name: "words.png",
      mimeType: "image/png",
      buffer: Buffer.from("no picture"),
    });
    await page.getByText("words.png is no picture that can be read").waitFor();
    await page.getByRole("button", { name: "Scene 2" }).click();
    await expect.poll(() => answerOf(page).textContent(), PATIENT).toMatch(/boot/);
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    await openTask(page, "Detection");
    expect(await answerOf(page).textContent()).toMatch(/^Found: bag 1\.00/);
    await openTask(page, "Questions");
    expect(await answerOf(page).textContent()).toMatch(/^Answer: boot/);
    await page.getByLabel("A question").fill("What is the colour?");
    await page.getByText("a question must name one of the items").waitFor();
  });

  itInChromium("sums up, reads a text, and maps atoms", async () => {
    const { page } = live;
    await openTask(page, "Summary");
    expect(await answerOf(page).textContent()).toMatch(/network architecture/);
    await openTask(page, "Language model");
    expect(await answerOf(page).textContent()).toMatch(/\w/);
    await page.getByLabel("A text").fill("ROMEO: 漢");
    await page.getByText("every character must be one of").waitFor();
    await openTask(page, "Atoms of reactions");
    expect(await answerOf(page).textContent()).toMatch(/\[CH3:1\]/);
  });

  itInChromium("learns in the page: held-out sentences come out right, and it can be paused", async () => {
    const { page } = live;
    await page.getByRole("tab", { name: "Train one" }).click();
    await page.getByRole("button", { name: "Train", exact: true }).click();
    const right = async () => Number(await page.locator("[data-right]").getAttribute("data-right"));
    await expect.poll(right, { timeout: 60_000 }).toBeGreaterThan(0.5);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Go on" }).waitFor();
    const step = await page.locator("[data-step]").getAttribute("data-step");
    await page.waitForTimeout(400);
    expect(await page.locator("[data-step]").getAttribute("data-step")).toBe(step);
    await page.getByRole("button", { name: "Begin anew" }).click();
    expect(await page.locator("[data-step]").getAttribute("data-step")).toBe("0");
  });

  itInChromium("is walked by the keyboard", async () => {
    const { page } = live;
    await page.getByRole("tab", { name: "Train one" }).focus();
    await page.keyboard.press("Home");
    for (const title of ["Translation", "Summary", "Language model", "Captions", "Detection", "Questions"]) {
      await page.getByRole("tab", { name: title, exact: true, selected: true }).waitFor();
      await page.locator('[data-status="ready"][data-ms]').first().waitFor();
      await page.keyboard.press("ArrowRight");
    }
    await page.keyboard.press("End");
    await page.getByRole("tab", { name: "Your model", selected: true }).waitFor();
  });

  itInChromium("says nothing on the console", async () => {
    expect(live.said).toEqual([]);
  });
});

describe("a page whose model does not come", () => {
  itInChromium(
    "shows what was made earlier, says what is wrong, and loads it at the second try on one thread",
    async () => {
      const live = await openLive(browser(), {
        isolated: false,
        before: (context) => context.route("**/weights/**", (route) => route.abort()),
      });
      const { page, context } = live;
      try {
        await page.getByText("cannot be fetched; check the connection").waitFor();
        expect(await answerOf(page).textContent()).toBe("Où est la gare, et quand part le train ?");
        await context.unroute("**/weights/**");
        await page.getByRole("button", { name: "Try again" }).click();
        await page.locator('[data-status="ready"]').waitFor({ timeout: 30_000 });
        await page.getByText("on one thread: this page is not cross-origin isolated").waitFor();
      } finally {
        await live.close();
      }
    },
  );
});

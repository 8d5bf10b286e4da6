// Uses the studio for a long time, as a reader would who never stops, and says whether its memory grows.
//
//   npm run soak                    # 30 minutes
//   npm run soak -- --minutes 3
//
// Rounds through every document, every view, heads, tokens, pins, two documents compared, files opened, colours and exports.
// After each round the page's heap is measured, with nothing left to collect. The first fifth warms up; after it, half of
// the rounds may not need more than the other half. The exit code is 1 where the heap or the nodes of the page grow.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { startStudioServer } from "../build/cli/studio/server.js";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const PAGES = path.join(root, "dist/studio");
const MEGABYTE = 1_000_000;
/** What the second half may need more than the first, in megabytes of heap and in nodes: less than one trace's worth. */
const MOST_GROWN = { heap: 2, nodes: 500 };
/** Rounds before the heap counts: caches fill, code is compiled. */
const WARM = 0.2;

/** @typedef {{ heap: number, nodes: number }} Measure */

const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`soak: --minutes must be a number above 0, got ${values.minutes}; try --minutes 3`);
  process.exit(2);
}

const DOCUMENTS = JSON.parse(readFileSync(path.join(PAGES, "traces/traces.json"), "utf8")).map(
  (/** @type {{ id: string }} */ { id }) => id,
);

/** One round through all that there is. */
async function walk(
  /** @type {import("@playwright/test").Page} */ page,
  /** @type {string} */ folder,
  /** @type {number} */ round,
) {
  const choose = (/** @type {string} */ list, /** @type {string} */ value) =>
    page.getByRole("combobox", { name: list, exact: true }).selectOption(value);
  const painted = () => page.locator("studio-app [data-ready]").last().waitFor();
  for (const id of DOCUMENTS) {
    await choose("Document", id);
    await painted();
    const tabs = page.getByRole("tab");
    for (let n = 0; n < (await tabs.count()); n++) {
      await tabs.nth(n).click();
      await painted();
    }
    const queries = page.getByRole("listbox", { name: /^Queries/ });
    if ((await queries.count()) === 0) continue;
    await tabs.first().click();
    for (const key of ["Home", "ArrowRight", "ArrowRight", "End"]) await queries.press(key);
    const pin = page.locator("studio-inspector").getByRole("button", { name: /^(Pin|Unpin)$/ });
    await pin.click();
    await pin.click();
    const heads = page.locator("head-list").getByRole("button");
    await heads.nth(round % (await heads.count())).click();
  }
  await choose("Document", "language-model");
  for (const other of ["picture", "translation", ""]) {
    await choose("Compare with", other);
    await painted();
  }
  await page.getByLabel("Open files").setInputFiles(path.join(PAGES, "traces/caption.attn"));
  await page.getByRole("heading", { name: "A picture is described" }).waitFor();
  await page.getByLabel("Open files").setInputFiles(path.join(PAGES, "index.html"));
  await page.getByText("This cannot be shown").waitFor();
  await choose("Document", "translation");
  await painted();
  for (const colours of ["dark", "auto"]) await choose("Colours", colours);
  for (const format of ["PNG", "SVG", "JSON", "HTML", "trace"]) {
    const download = page.waitForEvent("download");
    await page
      .getByRole("button", { name: `Save ${format}`, exact: true })
      .first()
      .click();
    await (await download).saveAs(path.join(folder, "saved"));
  }
}

/** The heap and the nodes of a page that has nothing left to collect. */
async function measured(/** @type {import("@playwright/test").CDPSession} */ session) {
  for (let n = 0; n < 3; n++) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (/** @type {string} */ wanted) =>
    metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  return { heap: of("JSHeapUsedSize") / MEGABYTE, nodes: of("Nodes") };
}

const median = (/** @type {readonly number[]} */ numbers) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const folder = mkdtempSync(path.join(tmpdir(), "heed-soak-"));
const server = await startStudioServer({ folders: [{ prefix: "", folder: PAGES }], opened: [], port: 0 });
const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", chromium.executablePath()].find(
  (file) => file && existsSync(file),
);
const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ["--no-sandbox"] });
/** @type {string[]} */
const said = [];
/** @type {Measure[]} */
const rounds = [];
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  await page.goto(server.url);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const until = Date.now() + minutes * 60_000;
  while (Date.now() < until || rounds.length < 5) {
    await walk(page, folder, rounds.length);
    const now = await measured(session);
    rounds.push(now);
    console.log(`round ${rounds.length}: ${now.heap.toFixed(1)} MB of heap, ${now.nodes} nodes`);
  }
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
}

const counted = rounds.slice(Math.ceil(WARM * rounds.length));
const half = counted.length >> 1;
let isFine = said.length === 0;
for (const line of said) console.log(`the page said: ${line}`);
for (const name of /** @type {const} */ (["heap", "nodes"])) {
  const [first, second] = [counted.slice(0, half), counted.slice(half)].map((part) =>
    median(part.map((round) => round[name])),
  );
  const grown = second - first;
  const isKept = grown <= MOST_GROWN[name];
  isFine &&= isKept;
  console.log(
    `${isKept ? "PASS" : "FAIL"} ${name}: ${first.toFixed(1)} in the first half, ${second.toFixed(1)} in the second; may grow by ${MOST_GROWN[name]}`,
  );
}
console.log(`${rounds.length} rounds`);
process.exitCode = isFine ? 0 : 1;

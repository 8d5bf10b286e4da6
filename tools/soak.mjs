// Uses the studio for a long time, as a reader would who never stops, and says whether its memory grows.
//
//   npm run soak                              # 30 minutes
//   npm run soak -- --minutes 3
//   npm run soak -- --pages live --model FOLDER   # one page alone; a published model is opened in every round
//
// A tab for each page: the studio, the live models with their worker, the three pages of the playground, every chapter of the path.
// Rounds go through all that there is (tools/soak/walks.mjs). After each round a page's heap is measured, with nothing left to
// collect, and of the live models what the worker holds, kernels and weights included. The first fifth warms up; after it, half of the rounds
// may not need more than the other half. The exit code is 1 where something grows.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { openPlaces } from "../build/cli/studio/opened.js";
import { ownFolders } from "../build/cli/studio/own-folders.js";
import { startStudioServer } from "../build/cli/studio/server.js";
import {
  walkChapter,
  walkLive,
  walkMechanisms,
  walkPlayground,
  walkScores,
  walkStudio,
} from "./soak/walks.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const MEGABYTE = 1_000_000;
/** What the second half may need more than the first, in megabytes and in nodes: less than one trace's worth, or one model's. */
const MOST_GROWN = { heap: 2, nodes: 500, worker: 4 };
/** Rounds before the heap counts: caches fill, code is compiled. */
const WARM = 0.2;
/** Rounds without which halves say nothing. */
const LEAST_ROUNDS = 5;

/** @typedef {{ heap: number, nodes: number, worker?: number }} Measure */
/** @typedef {{ round: number, pages: string, folder: string, model: readonly string[] }} Turn */
/** @typedef {{ address: string, walk: (page: import("@playwright/test").Page, turn: Turn) => Promise<void> }} Place */

/** @type {Record<string, Place>} */
const PLACES = {
  studio: { address: "", walk: walkStudio },
  live: { address: "live.html", walk: walkLive },
  playground: { address: "playground.html", walk: walkPlayground },
  mechanisms: { address: "playground-mechanisms.html", walk: walkMechanisms },
  scores: { address: "playground-score.html", walk: walkScores },
  ...Object.fromEntries(
    ["learn", "learn-scores", "learn-layers", "learn-fast", "learn-glimpses"].map((name) => [
      name,
      { address: `${name}.html`, walk: walkChapter },
    ]),
  ),
};

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    pages: { type: "string", default: Object.keys(PLACES).join(",") },
    model: { type: "string" },
    dist: { type: "string", default: path.join(root, "dist/studio") },
  },
});
const minutes = Number(values.minutes);
const names = values.pages.split(",");
const unknown = names.find((name) => !(name in PLACES));
if (!(minutes > 0) || unknown !== undefined) {
  const wrong = unknown === undefined ? "--minutes must be a number above 0" : "--pages must name pages";
  console.error(
    `soak: ${wrong}, got ${unknown ?? values.minutes}; there are ${Object.keys(PLACES).join(", ")}`,
  );
  process.exit(2);
}

/** The heap and the nodes of a page that has nothing left to collect, and what its worker holds. */
async function measured(
  /** @type {import("@playwright/test").Page} */ page,
  /** @type {import("@playwright/test").CDPSession} */ session,
) {
  for (let n = 0; n < 3; n++) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (/** @type {string} */ wanted) =>
    metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  /** @type {Measure} */
  const measure = { heap: of("JSHeapUsedSize") / MEGABYTE, nodes: of("Nodes") };
  if (page.workers().length === 0) return measure;
  // It collects garbage first, and counts array buffers and WebAssembly's memory, which no heap does.
  const bytes = await page.evaluate(async () => {
    const { breakdown } = await /** @type {any} */ (performance).measureUserAgentSpecificMemory();
    return breakdown
      .filter((/** @type {any} */ { attribution }) =>
        attribution.some((/** @type {any} */ { scope }) => scope === "DedicatedWorkerGlobalScope"),
      )
      .reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.bytes, 0);
  });
  return { ...measure, worker: bytes / MEGABYTE };
}

const median = (/** @type {readonly number[]} */ numbers) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const folder = mkdtempSync(path.join(tmpdir(), "heed-soak-"));
const { places, folders } = openPlaces("soak", values.model ? [values.model] : []);
const model = places.flatMap(({ files }) => files.map(({ address }) => address));
const server = await startStudioServer({
  folders: [...folders, ...ownFolders(values.dist)],
  opened: [],
  port: 0,
});
const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", chromium.executablePath()].find(
  (file) => file && existsSync(file),
);
const browser = await chromium.launch({
  ...(executablePath && { executablePath }),
  // Measures at once, and not when the browser has nothing else to do.
  args: ["--no-sandbox", "--enable-blink-features=ForceEagerMeasureMemory"],
});
/** @type {string[]} */
const said = [];
/** @type {Record<string, Measure[]>} */
const rounds = Object.fromEntries(names.map((name) => [name, []]));
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const tabs = [];
  for (const name of names) {
    const page = await context.newPage();
    page.on("pageerror", (error) => said.push(`${name}: ${error}`));
    page.on("console", (message) => message.type() === "error" && said.push(`${name}: ${message.text()}`));
    await page.goto(new URL(PLACES[name].address, server.url).href);
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable");
    tabs.push({ name, page, session, walk: PLACES[name].walk });
  }
  const until = Date.now() + minutes * 60_000;
  for (let round = 0; Date.now() < until || round < LEAST_ROUNDS; round++)
    for (const { name, page, session, walk } of tabs) {
      await page.bringToFront();
      await walk(page, { round, pages: values.dist, folder, model });
      const now = await measured(page, session);
      rounds[name].push(now);
      const worker = now.worker === undefined ? "" : `, ${now.worker.toFixed(1)} MB in the worker`;
      console.log(
        `round ${round + 1}, ${name}: ${now.heap.toFixed(1)} MB of heap, ${now.nodes} nodes${worker}`,
      );
    }
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
}

let isFine = said.length === 0;
for (const line of said) console.log(`the page said: ${line}`);
for (const name of names) {
  const counted = rounds[name].slice(Math.ceil(WARM * rounds[name].length));
  const half = counted.length >> 1;
  for (const what of /** @type {const} */ (["heap", "nodes", "worker"])) {
    const numbers = counted.flatMap((round) => round[what] ?? []);
    if (numbers.length < counted.length) continue;
    const [first, second] = [numbers.slice(0, half), numbers.slice(half)].map(median);
    const isKept = second - first <= MOST_GROWN[what];
    isFine &&= isKept;
    console.log(
      `${isKept ? "PASS" : "FAIL"} ${name}, ${what}: ${first.toFixed(1)} in the first half, ${second.toFixed(1)} in the second; may grow by ${MOST_GROWN[what]}`,
    );
  }
}
console.log(`${rounds[names[0]].length} rounds`);
process.exitCode = isFine ? 0 : 1;

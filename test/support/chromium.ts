import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium } from "@playwright/test";
import { afterAll, beforeAll, it } from "vitest";

/** A Chromium to drive: $CHROMIUM_PATH, the system's, or the one that Playwright installed. */
export function findChromium(): string | undefined {
  const system = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  return [process.env.CHROMIUM_PATH, ...system, chromium.executablePath()].find(
    (path) => path && existsSync(path),
  );
}

/** WebGPU without a graphics card, by the software driver that Chromium brings along. */
export const WEBGPU_FLAGS = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-webgpu-adapter=swiftshader",
  "--use-vulkan=swiftshader",
];

/** Starts a headless Chromium. The caller closes it; the end of the process does too. */
export async function launchChromium(flags: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error("no Chromium found; install one, or set CHROMIUM_PATH to its path");
  return chromium.launch({ executablePath, args: ["--no-sandbox", ...flags], handleSIGTERM: false });
}

/** The Chromium of this process: files that run in one worker share it. */
let shared: Promise<Browser> | undefined;

function sharedChromium(): Promise<Browser> {
  // Vitest ends a worker by SIGTERM; playwright closes its browsers when a process exits.
  if (!shared) process.once("SIGTERM", () => process.exit());
  shared ??= launchChromium();
  return shared;
}

/** A browser for the tests of a file, where there is one; pages that a test which failed left open are closed. */
export function browserForTests(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (!findChromium()) return;
    browser = await sharedChromium();
    if (browser.isConnected()) return;
    shared = undefined;
    browser = await sharedChromium();
  });
  afterAll(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });
  return () => browser!;
}

/**
 * `it` for a test in Chromium: where there is none, the test is skipped and its title says why; on the build machine
 * (`CI` is set) it fails.
 */
export function itInChromium(title: string, test: () => Promise<void>, timeoutMs = 120_000): void {
  if (!findChromium() && !process.env.CI) it.skip(`${title} (skipped: no Chromium; set CHROMIUM_PATH)`);
  else it(title, test, timeoutMs);
}

/** Gives pages no service worker, as a private window does: what they ask for comes from the server of the test. */
export const withoutServiceWorker = (context: BrowserContext): Promise<unknown> =>
  context.addInitScript(() => {
    delete (Navigator.prototype as { serviceWorker?: unknown }).serviceWorker;
  });

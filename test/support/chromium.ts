import { existsSync } from "node:fs";
import { type Browser, chromium } from "@playwright/test";
import { afterAll, beforeAll, it } from "vitest";

/** A Chromium to drive: $CHROMIUM_PATH, the system's, or the one that Playwright installed. */
export function findChromium(): string | undefined {
  const system = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  return [process.env.CHROMIUM_PATH, ...system, chromium.executablePath()].find(
    (path) => path && existsSync(path),
  );
}

/** Starts a headless Chromium. The caller closes it. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error("no Chromium found; install one, or set CHROMIUM_PATH to its path");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A browser for the tests of a file, where there is one: started before them, closed after. */
export function browserForTests(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (findChromium()) browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
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

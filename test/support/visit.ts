import type { Browser } from "@playwright/test";
import { serve } from "./serve.ts";

/** Serves a folder, opens its page and waits for what it puts on `window.result`. */
export async function visit<Report>(
  browser: Browser,
  folder: string,
  headers: Record<string, string> = {},
  query = "",
): Promise<{ report: Report; console: string[] }> {
  const { url, server } = await serve(folder, headers);
  const tab = await browser.newPage();
  const lines: string[] = [];
  tab.on("console", (message) => lines.push(message.text()));
  tab.on("pageerror", (error) => lines.push(String(error)));
  try {
    await tab.goto(url + query);
    await tab.waitForFunction("window.result", undefined, { timeout: 110_000 }).catch((error) => {
      throw new Error(`the page reported nothing; its console said:\n${lines.join("\n")}`, { cause: error });
    });
    return { report: (await tab.evaluate("window.result")) as Report, console: lines };
  } finally {
    await tab.close();
    server.close();
  }
}

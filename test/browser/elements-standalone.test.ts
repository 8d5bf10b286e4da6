import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { BrowserContextOptions } from "@playwright/test";
import { afterAll, describe, expect, test } from "vitest";
import { inScript, jsonForScript, standaloneHtml } from "../../src/elements/standalone.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import {
  askedElsewhere,
  BUNDLE,
  exampleTrace,
  focusedLabel,
  painted,
  runsForeignScripts,
  violations,
  watch,
} from "../support/elements.ts";

const folder = mkdtempSync(path.join(tmpdir(), "heed-standalone-"));
const browser = browserForTests();
afterAll(() => rmSync(folder, { recursive: true }));

const TOKENS = ["<s>", "</script><script>alert(1)</script>", "<!--", "\u2028", "cat", "</noscript><b>"];
const html = standaloneHtml(exampleTrace(TOKENS), { bundle: BUNDLE, title: "Cats & <dogs>", head: 1 });

async function openFile(options: BrowserContextOptions = {}) {
  const file = path.join(folder, "page.html");
  writeFileSync(file, html);
  const context = await browser().newContext(options);
  const page = await context.newPage();
  const opened = watch(page, () => context.close());
  await page.goto(`file://${file}`);
  return opened;
}

describe("standaloneHtml", () => {
  itInChromium("works from file://, asks for nothing else, says nothing, and is clean to axe", async () => {
    const { page, said, requests, close } = await openFile();
    await painted(page, "heed-heatmap");
    expect(await page.getByRole("combobox", { name: "Head" }).inputValue()).toBe("1");
    await page.locator('[role="gridcell"][tabindex="0"]').focus();
    await page.keyboard.press("ArrowDown");
    expect(await focusedLabel(page)).toMatch(/^query 1 “<\/script><script>alert\(1\)/);
    expect(await violations(page)).toEqual([]);
    expect(askedElsewhere(requests)).toEqual([]);
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("runs no script but its own", async () => {
    const { page, said, close } = await openFile();
    await painted(page, "heed-heatmap");
    expect(await runsForeignScripts(page)).toBe(false);
    expect(said.join()).toContain("Content Security Policy");
    await close();
  });

  itInChromium("shows a picture and a table where scripts are off", async () => {
    const { page, said, close } = await openFile({ javaScriptEnabled: false });
    expect(await page.locator("noscript svg").count()).toBe(1);
    expect(await page.locator("noscript tbody tr").count()).toBe(TOKENS.length);
    expect(await page.locator("b").count()).toBe(0);
    expect(said).toEqual([]);
    await close();
  });

  test("gives the same file for the same trace", () => {
    expect(standaloneHtml(exampleTrace(TOKENS), { bundle: BUNDLE, title: "Cats & <dogs>", head: 1 })).toBe(
      html,
    );
    expect(html).toContain("<title>Cats &amp; &lt;dogs&gt;</title>");
  });

  test("escapes what would end a script in JSON and in code", () => {
    const hostile = "</script><!--&\u2028\u2029";
    expect(jsonForScript(hostile)).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(jsonForScript(hostile))).toBe(hostile);
    expect(inScript('a = "</SCRIPT><!--"')).toBe('a = "<\\/SCRIPT><\\!--"');
  });
});

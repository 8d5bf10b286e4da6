import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { writeTrace } from "../../src/inspect/index.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { exampleTrace, openPage, painted, SENTENCE } from "../support/elements.ts";

const root = path.resolve(import.meta.dirname, "../..");
const text = readFileSync(path.join(root, "docs/ELEMENTS.md"), "utf8");
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, code]) => code!);

const python = process.env.HEED_PYTHON ?? "python3";
const { status } = spawnSync(python, ["-c", "import anywidget"], { stdio: "ignore" });
const why = status === 0 ? "" : ` (skipped: ${python} has no anywidget; set HEED_PYTHON to one that has)`;

describe("docs/ELEMENTS.md", () => {
  const browser = browserForTests();

  itInChromium("its pages show what they say", async () => {
    const [view, own, ...more] = blocks("html");
    expect(more).toEqual([]);
    const { page, said, close } = await openPage(browser(), view!);
    await painted(page, "heed-flow");
    const layer = page.getByRole("combobox", { name: "Layer" });
    expect(await layer.inputValue()).toBe("1");
    expect(await page.getByRole("tab", { name: "Heads", exact: true }).count()).toBe(1);
    expect(said).toEqual([]);
    await close();
    const second = await openPage(browser(), own!);
    await painted(second.page, "heed-heatmap");
    expect(await second.page.locator(".readout p").first().textContent()).toMatch(/key 0 “I”: weight 0\.900/);
    expect(second.said).toEqual([]);
    await second.close();
  });

  itInChromium("its cell of a notebook in JavaScript returns an element that draws itself", async () => {
    const [cell, ...more] = blocks("js");
    expect(more).toEqual([]);
    const { page, said, close } = await openPage(browser(), '<div id="cell"></div>');
    await page.evaluate(async (code) => {
      const AsyncFunction = (async () => {}).constructor as new (code: string) => () => Promise<Element>;
      document.getElementById("cell")!.append(await new AsyncFunction(code)());
    }, cell!);
    await painted(page, "heed-heatmap");
    expect(said).toEqual([]);
    await close();
  });

  test.skipIf(status !== 0)(`its widget in Python holds the bundle and the trace${why}`, () => {
    const [widget, ...more] = blocks("python");
    expect(more).toEqual([]);
    const folder = mkdtempSync(path.join(tmpdir(), "heed-widget-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const bundle = path.join(root, "dist/elements/heed-elements.js");
    copyFileSync(bundle, path.join(folder, "heed-elements.js"));
    writeFileSync(path.join(folder, "trace.attn"), writeTrace(exampleTrace(SENTENCE)));
    const code = `${widget}
made = Attention(trace=pathlib.Path("trace.attn").read_bytes())
print(len(str(made._esm).encode()), len(made.trace))`;
    writeFileSync(path.join(folder, "widget.py"), code);
    const { stdout, stderr } = spawnSync(python, ["widget.py"], { cwd: folder, encoding: "utf8" });
    const sizes = [readFileSync(bundle).length, writeTrace(exampleTrace(SENTENCE)).length];
    expect(stdout.trim(), stderr).toBe(sizes.join(" "));
  });

  test("names every attribute and method that the elements have", () => {
    for (const file of ["element", "view", "flow", "compare", "figure", "heatmap", "chart"]) {
      const source = readFileSync(path.join(root, `src/elements/${file}.ts`), "utf8");
      const [, declared = ""] = /properties[^=]*= \{([\s\S]*?)\n? *\};/.exec(source) ?? [];
      for (const [, name, options] of declared.matchAll(/(\w+): \{([^}]*)\}/g)) {
        if (options!.includes("state: true") || name === "linked") continue;
        const attribute = /attribute: "([^"]+)"/.exec(options!)?.[1];
        expect(text, `${file}: ${name}`).toContain(`\`${attribute ?? name}\``);
      }
    }
    for (const method of ["exportPng", "exportSvg", "toJSON"]) expect(text).toContain(`\`${method}()\``);
  });
});

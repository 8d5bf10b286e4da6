// The picture of README's applications: what three commands draw of their example.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { place, sizeOf } from "./place.mjs";

const COMMANDS = [
  ["caption", "--seed", "1"],
  ["detect", "--seed", "1"],
  ["ask", "--seed", "1", "How many trousers are there?"],
];
const LABEL =
  "A caption, with what each word looked at; items that were found, with what each query looked at; a question and its words";

/** The SVG document; `root` is where dist lies. */
export function drawApplications(/** @type {string} */ root) {
  const folder = mkdtempSync(path.join(tmpdir(), "heed-gallery-"));
  try {
    const drawn = COMMANDS.map((words) => {
      const file = path.join(folder, `${words[0]}.svg`);
      const args = [path.join(root, "dist/cli/main.js"), ...words, "--svg", file];
      execFileSync(process.execPath, args, { stdio: "ignore" });
      return readFileSync(file, "utf8");
    });
    const width = Math.max(...drawn.map((svg) => sizeOf(svg).width));
    let height = 0;
    const pictures = drawn.map((svg) => {
      const own = sizeOf(svg);
      const placed = place(svg, 0, height, own.width, own.height);
      height += own.height;
      return placed;
    });
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${LABEL}" ` +
      `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">\n${pictures.join("\n")}\n</svg>\n`
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

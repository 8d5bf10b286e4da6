import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { RandomStream } from "../../src/core/random.ts";
import { encodePng } from "../../src/viz/index.ts";
import { part } from "../claim.ts";
import { type CommandRun, leastSeconds, processorSecondsOf } from "./command.ts";

/** Starts whose least time counts: other programs slow down caches. */
const STARTS = 3;
/** Pictures of a run: several batches of 32. */
const PICTURES = 192;
/** Side of a scene in pixels. */
const SIDE = 64;

const QUESTION = "How many boots are there?";
const ABSTRACT =
  "We present Zorbanet, a neural network for machine translation of Basque. It learns from raw text, needs no dictionary, and " +
  "translates better than systems that were built by hand.";

/** Each application once, with an input or with the example that it takes without one. */
export const ONE_INPUT: Readonly<Record<string, CommandRun>> = {
  summarize: { args: ["summarize", "--no-map", ABSTRACT], lines: 1 },
  caption: { args: ["caption", "--no-picture"], lines: 1 },
  detect: { args: ["detect", "--json"], lines: 1 },
  ask: { args: ["ask", "--no-picture", QUESTION], lines: 1 },
  track: { args: ["track"], lines: 11 },
  gateFormants: { args: ["gate", "formants", "--json"], lines: 1 },
  gateSeries: { args: ["gate", "series", "--json"], lines: 1 },
};

/** The three that answer pictures, whose paths they read from standard input. */
export const MANY_PICTURES: Readonly<Record<string, readonly string[]>> = {
  caption: ["caption", "--no-picture"],
  detect: ["detect", "--json"],
  ask: ["ask", "--no-picture", QUESTION],
};

/**
 * What the built commands of the applications take of processor time, their start included: `<command>Seconds` for the run that
 * answers one input, `<command>PerSecond` pictures that are read and answered in batches.
 */
export function applicationSpeeds(onProgress: (share: number) => void): Record<string, number> {
  const speeds: Record<string, number> = {};
  const [commands, batched] = [Object.entries(ONE_INPUT), Object.entries(MANY_PICTURES)];
  const parts = commands.length + batched.length;
  for (const [n, [name, run]] of commands.entries())
    speeds[`${name}Seconds`] = leastSeconds(
      STARTS,
      () => processorSecondsOf(run),
      part(onProgress, n, parts),
    );
  const folder = mkdtempSync(path.join(tmpdir(), "heed-speed-"));
  try {
    const input = `${writeScenes(folder, PICTURES).join("\n")}\n`;
    for (const [n, [name, args]] of batched.entries()) {
      const report = part(onProgress, commands.length + n, parts);
      const seconds = leastSeconds(
        STARTS,
        () => processorSecondsOf({ args, input, lines: PICTURES }),
        report,
      );
      speeds[`${name}PerSecond`] = PICTURES / seconds;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return speeds;
}

/** Different pictures of one to four light things on black, as PNG files; what they are does not matter to the time. */
export function writeScenes(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const random = new RandomStream(n);
    const data = new Uint8Array(SIDE * SIDE);
    for (let thing = 0; thing <= n % 4; thing++) {
      const [height, width] = [12 + random.integer(14), 12 + random.integer(14)];
      const [top, left] = [random.integer(SIDE - height), random.integer(SIDE - width)];
      for (let y = top; y < top + height; y++)
        for (let x = left; x < left + width; x++) data[y * SIDE + x] = 100 + random.integer(156);
    }
    const file = path.join(folder, `${n}.png`);
    writeFileSync(file, encodePng({ width: SIDE, height: SIDE, channels: 1, data }));
    return file;
  });
}

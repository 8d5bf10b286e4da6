import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { DataError, FileError, UsageError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import type { FrameBox } from "../tasks/tracking/compose.ts";
import type { Footage } from "../tasks/tracking/tracker.ts";
import { unreadable, wholeNumber, wrongFlag } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { OutputFiles, pageWithFigures } from "./output-files.ts";

const NAME = "heed track";
/** The names of a folder's files that are frames. */
const PICTURE = /\.(png|jpe?g)$/i;

interface Flags {
  box?: FrameBox;
  model?: string;
  seed: number;
  json?: boolean;
  svg?: string;
  html?: string;
  trace?: string;
}

const HELP = `
Frames are PNG or JPEG files of one size in their order, or a folder of them, in the order of their names (1, 2, … 10). They
are made grey, and inverted where the first one is light. --box says where in the first one the object is: its first row and
column, height and width, in pixels. The model was shown digits in front of black, and never searches for what it lost:
it looks where the object would be at its speed. Without frames an example is composed, in which a digit is hidden for
three frames; --seed chooses another one.

  heed track --box 12,30,10,10 frames/
  heed track --svg track.svg
  heed track --json --box 12,30,10,10 0.png 1.png 2.png > boxes.jsonl
`;

/** `heed track [frames…]`: where an object is in each frame. */
export function trackCommand(io: Io): Command {
  return new Command("track")
    .description("Follows an object through the frames of a video, from its box in the first.")
    .argument("[frames...]", "PNG or JPEG files, or one folder of them; an example where there are none")
    .option("--box <t,l,h,w>", "top, left, height and width in the first frame, in pixels", boxOf)
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option(
      "--seed <n>",
      "chooses the example",
      wholeNumber(NAME, "--seed", 0, 2 ** 24 - 1, "try --seed 2"),
      3,
    )
    .option("--json", "one object a frame: frame, box, and hidden for an example")
    .option("--svg <file>", "also draw the frames with their boxes")
    .option("--html <file>", "also write what was looked at in each frame as a page to click through")
    .option("--trace <file>", "also write that for heed show, svg, png and html")
    .addHelpText("after", HELP)
    .action((frames: string[], flags: Flags) => follow(frames, flags, io));
}

async function follow(files: string[], flags: Flags, io: Io): Promise<void> {
  const outputs = new OutputFiles(NAME, flags);
  if (files.length > 0 && !flags.box) {
    const fault = { op: NAME, rule: "--box must say where the object is in the first frame", got: "none" };
    throw new UsageError("USAGE", { ...fault, remedy: "add --box 12,30,10,10", flag: "--box" });
  }
  const given = files.length > 0 ? await footageOf(files) : undefined;
  const [{ loadTracker }, { drawTrack }] = await Promise.all([
    import("../tasks/tracking/files.ts"),
    import("../tasks/tracking/draw.ts"),
  ]);
  const example = given ? undefined : await exampleVideo(flags.seed);
  const footage = given ?? example!.footage;
  const first = flags.box ?? example!.boxes[0]!;
  const tracker = await loadTracker(flags.model);
  try {
    if (!given) io.stderr.write(`${NAME}: no frame was given; this video is an example\n`);
    const boxes = tracker.follow(footage, first);
    for (const [t, box] of boxes.entries()) {
      const frame = given ? given.names[t]! : String(t);
      const hidden = example && { hidden: t >= example.hidden[0] && t < example.hidden[1] };
      const rounded = box.map((number) => Math.round(100 * number) / 100);
      const text = `${frame}\t${rounded.map((number) => number.toFixed(1)).join("\t")}${hidden?.hidden ? "\thidden" : ""}`;
      await write(io.stdout, `${flags.json ? JSON.stringify({ frame, box: rounded, ...hidden }) : text}\n`);
    }
    await outputs.add({
      svg: () => drawTrack(footage, boxes, example?.boxes),
      trace: () => tracker.look(footage, first),
      page: pageWithFigures,
    });
  } finally {
    tracker.dispose();
  }
  outputs.finish(io);
}

async function exampleVideo(seed: number) {
  const [{ HIDDEN_FRAMES, hiddenVideo }, { drawnDigits }, { SIDE }] = await Promise.all([
    import("../tasks/tracking/evaluate.ts"),
    import("../tasks/tracking/digits.ts"),
    import("../tasks/tracking/compose.ts"),
  ]);
  const { frames, boxes } = hiddenVideo(drawnDigits(), seed, 0, 2);
  return { footage: { frames, height: SIDE, width: SIDE }, boxes, hidden: HIDDEN_FRAMES };
}

/**
 * The frames of files, or of the pictures of one folder.
 *
 * @throws FileError UNREADABLE, MISSING · DataError FORMAT, DAMAGED, LIMIT, MISMATCH
 */
async function footageOf(given: readonly string[]): Promise<Footage & { names: string[] }> {
  const { greyRectangle, readPicture } = await import("../data/pictures/index.ts");
  const names = framesIn(given);
  const greys: Float32Array[] = [];
  let size: { readonly height: number; readonly width: number } | undefined;
  for (const file of names) {
    const picture = await readPicture(file);
    size ??= { height: picture.height, width: picture.width };
    if (picture.height !== size.height || picture.width !== size.width) {
      const rule = `frames must all be ${size.height} × ${size.width}, as the first one`;
      const got = `${picture.height} × ${picture.width} in ${file}`;
      throw new DataError("MISMATCH", { op: NAME, rule, got, remedy: "give the frames of one video" });
    }
    greys.push(Float32Array.from(greyRectangle(picture, size).pixels, (grey) => grey / 255));
  }
  const [first] = greys;
  const isLight = first!.reduce((sum, light) => sum + light, 0) > 0.5 * first!.length;
  const frames = isLight ? greys.map((frame) => frame.map((light) => 1 - light)) : greys;
  return { ...size!, frames, names };
}

function framesIn(given: readonly string[]): string[] {
  const [place] = given;
  if (given.length > 1 || !statSync(place!, { throwIfNoEntry: false })?.isDirectory()) return [...given];
  let names: string[];
  try {
    names = readdirSync(place!).filter((name) => PICTURE.test(name));
  } catch (cause) {
    throw new FileError("UNREADABLE", unreadable(NAME, place!, fileReason(cause)), { cause });
  }
  const { compare } = new Intl.Collator("en", { numeric: true });
  if (names.length > 0) return names.sort(compare).map((name) => path.join(place!, name));
  const fault = {
    op: NAME,
    rule: `${place} must hold frames`,
    got: "no PNG or JPEG file",
    remedy: "name another folder",
  };
  throw new FileError("MISSING", { ...fault, path: place! });
}

function boxOf(text: string): FrameBox {
  const numbers = text.split(",").map(Number);
  const [, , height = 0, width = 0] = numbers;
  if (numbers.length === 4 && numbers.every(Number.isFinite) && height > 0 && width > 0)
    return numbers as unknown as FrameBox;
  const rule = "top,left,height,width in pixels";
  throw new UsageError("USAGE", wrongFlag(NAME, "--box", rule, text, "try --box 12,30,10,10"));
}

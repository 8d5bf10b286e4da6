import type { RgbaPicture } from "../data/pictures/index.ts";
import { boxOnPicture, type PixelBox } from "../tasks/detection/draw.ts";
import type { Picture } from "../viz/image/picture.ts";
import type { TerminalCapabilities } from "../viz/terminal/capabilities.ts";
import { terminalImage } from "../viz/terminal-image.ts";
import type { Seen } from "./detect.ts";
import { safe } from "./translation-output.ts";

/** What is told of an item: its box in whole pixels of the picture, and what its query looked at, row by row. */
export interface ToldItem {
  name: string;
  score: number;
  box: PixelBox;
  attention: number[][];
}

/** What is told of a picture, as `--json` has it. */
export interface Answer {
  picture: string;
  width: number;
  height: number;
  items: ToldItem[];
}

const DIGITS = 4;
/** A picture is drawn with no more pixels than this along a side. */
const MOST_DRAWN = 640;

const rounded = (n: number) => Number(n.toFixed(DIGITS));

/** What was found, in pixels of the picture; what lies on its margins alone is left out. */
export function answerOf({ file, picture: { width, height }, scene: { place }, look }: Seen): Answer {
  const [, columns] = look.grid;
  const items = look.found.flatMap(({ name, score, box, attention }): ToldItem[] => {
    const onPicture = boxOnPicture(box, { width, height, place });
    if (!onPicture) return [];
    const rows = Array.from({ length: attention.length / columns }, (_, row) =>
      Array.from(attention.subarray(row * columns, (row + 1) * columns), rounded),
    );
    return [{ name, score: rounded(score), box: wholePixels(onPicture), attention: rows }];
  });
  return { picture: file, width, height, items };
}

/** Corners at whole pixels, one pixel apart at least. */
function wholePixels(box: PixelBox): PixelBox {
  const [x, y] = [Math.floor(box.x + 0.5), Math.floor(box.y + 0.5)];
  const [right, bottom] = [Math.round(box.x + box.width), Math.round(box.y + box.height)];
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

/** What is written of a picture that could not be read: answer n of the output is that of picture n. */
export const unread = (picture: string, error: string, json: boolean): string =>
  json ? `${JSON.stringify({ picture, items: null, error })}\n` : "\n";

/** A picture's items as they are printed, line end included; in a terminal with what each query looked at. */
export function showAnswer(
  { picture, width, height, items }: Answer,
  { look, scene }: Pick<Seen, "look" | "scene">,
  terminal: TerminalCapabilities,
): string {
  const times = terminal.unicode ? "×" : "x";
  const count = items.length === 1 ? "1 item" : `${items.length || "no"} items`;
  const longest = Math.max(0, ...items.map(({ name }) => name.length));
  const lines = items.map(({ name, score, box }) => {
    const place = `at ${box.x}, ${box.y}, ${box.width} ${times} ${box.height}`;
    return `  ${safe(name, terminal).padEnd(longest)}  ${score.toFixed(2)}  ${place}\n`;
  });
  const head = `${safe(picture, terminal)}, ${width} ${times} ${height}: ${count}\n`;
  const said = head + lines.join("");
  if (!(terminal.isTTY || terminal.depth > 1) || look.found.length === 0) return said;
  const side = scene.side;
  const data = {
    image: { height: side, width: side, values: Float32Array.from(scene.pixels, (grey) => grey / 255) },
    grid: look.grid,
    maps: look.found.map(({ attention }) => attention),
    words: look.found.map(({ name, score }) => `${name} ${score.toFixed(2)}`),
  };
  return `${said}\n${terminalImage(data, terminal)}\n\n`;
}

/** A scene as a picture. */
export function scenePicture(pixels: Uint8Array): RgbaPicture {
  const side = Math.sqrt(pixels.length);
  const data = Uint8Array.from({ length: 4 * pixels.length }, (_, n) =>
    n % 4 === 3 ? 255 : pixels[n >> 2]!,
  );
  return { height: side, width: side, channels: 4, data };
}

/** The picture as it is drawn: on white, each pixel the mean of a square of the original's where that is too large. */
export function drawnPicture({ height: H, width: W, data }: RgbaPicture): Picture {
  const side = Math.max(1, Math.ceil(Math.max(H, W) / MOST_DRAWN));
  const [height, width] = [Math.ceil(H / side), Math.ceil(W / side)];
  const sums = new Float64Array(height * width * 3);
  const counts = new Float64Array(height * width);
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++) {
      const to = Math.floor(y / side) * width + Math.floor(x / side);
      const from = 4 * (y * W + x);
      const opacity = data[from + 3]! / 255;
      counts[to]!++;
      for (let c = 0; c < 3; c++) sums[3 * to + c]! += opacity * data[from + c]! + (1 - opacity) * 255;
    }
  return { height, width, channels: 3, values: sums.map((sum, n) => sum / counts[Math.floor(n / 3)]! / 255) };
}

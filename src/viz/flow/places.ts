import type { HeatmapData } from "../data.ts";
import { TOKEN_SIZE } from "../svg/layout.ts";
import { label } from "../svg/markup.ts";
import { fitWidth, textWidth } from "../svg/measure.ts";
import { PAD } from "../svg/titled.ts";
import { visible } from "../text.ts";

const NOTE_HEIGHT = 28;
const LEAST_PITCH = 36;
const MOST_PITCH = 110;
const ROW_PITCH = 26;
const LONGEST_LABEL = 168;
const ARTICLE_HEIGHT = 300;
const COLUMNS_GAP = 300;

type Words = Pick<HeatmapData, "rowTokens" | "columnTokens">;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where the nodes and their labels are. */
export interface Places {
  readonly width: number;
  readonly height: number;
  readonly inputs: readonly Point[];
  readonly outputs: readonly Point[];
  readonly labels: string;
  readonly curved: boolean;
}

/** The article's: inputs below, outputs above, both rows centred. */
export function articlePlaces({ rowTokens, columnTokens }: Words, top: number): Places {
  const all = [...rowTokens, ...columnTokens].map((token) => textWidth(visible(token), TOKEN_SIZE));
  const pitch = Math.min(MOST_PITCH, Math.max(LEAST_PITCH, Math.ceil(Math.max(...all)) + 10));
  const most = Math.max(rowTokens.length, columnTokens.length);
  const width = Math.max(360, 2 * PAD + most * pitch);
  const row = (n: number, y: number) =>
    Array.from({ length: n }, (_, at) => ({ x: width / 2 + (at - (n - 1) / 2) * pitch, y }));
  const outputs = row(rowTokens.length, top + 36);
  const inputs = row(columnTokens.length, top + ARTICLE_HEIGHT - 36);
  const words = (tokens: readonly string[], points: readonly Point[], dy: number) =>
    points.map(({ x, y }, at) =>
      label(fitWidth(visible(tokens[at]!), pitch - 6, TOKEN_SIZE), {
        class: "t k",
        x,
        y: y + dy,
        "text-anchor": "middle",
      }),
    );
  const labels = [...words(rowTokens, outputs, -16), ...words(columnTokens, inputs, 26)].join("");
  return { width, height: top + ARTICLE_HEIGHT + NOTE_HEIGHT, inputs, outputs, labels, curved: false };
}

/** For real sentences: every word has a line of its own. */
export function columnPlaces({ rowTokens, columnTokens }: Words, top: number): Places {
  const fitted = (tokens: readonly string[]) =>
    tokens.map((token) => fitWidth(visible(token), LONGEST_LABEL, TOKEN_SIZE));
  const widest = (texts: readonly string[]) =>
    Math.ceil(Math.max(...texts.map((text) => textWidth(text, TOKEN_SIZE))));
  const [ins, outs] = [fitted(columnTokens), fitted(rowTokens)];
  const left = PAD + widest(ins) + 16;
  const right = left + COLUMNS_GAP;
  const most = Math.max(ins.length, outs.length);
  const column = (n: number, x: number) =>
    Array.from({ length: n }, (_, at) => ({ x, y: top + 24 + ROW_PITCH * (at + (most - n) / 2) }));
  const [inputs, outputs] = [column(ins.length, left), column(outs.length, right)];
  const words = (texts: readonly string[], points: readonly Point[], dx: number, anchor: string) =>
    points.map(({ x, y }, at) =>
      label(texts[at]!, { class: "t k", x: x + dx, y: y + 4.5, "text-anchor": anchor }),
    );
  const labels = [...words(ins, inputs, -14, "end"), ...words(outs, outputs, 14, "start")].join("");
  const width = right + 16 + widest(outs) + PAD;
  return { width, height: top + 24 + ROW_PITCH * most + NOTE_HEIGHT, inputs, outputs, labels, curved: true };
}

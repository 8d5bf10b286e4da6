import * as tf from "@tensorflow/tfjs-core";
import { html, type TemplateResult } from "lit";
import { softAttention } from "../../../src/attention/sequence/soft-attention.ts";
import { blockMask, drawBlocks } from "../../../src/attention/sparse/block-mask.ts";
import { mergeAttention } from "../../../src/attention/sparse/merge-attention.ts";
import { withoutTensors } from "../../call/functions.ts";
import "../../parts/stage-map.ts";
import { bars, decimal, Lab } from "../lab.ts";

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

function bytes(n: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log(Math.max(1, n)) / Math.log(1000)));
  const value = n / 1000 ** unit;
  return `${value.toFixed(value < 10 && unit > 0 ? 1 : 0)} ${UNITS[unit]}`;
}

/** What all weights take, and what inputs and outputs take. */
class LabMemory extends Lab {
  protected override view(): TemplateResult {
    const n = 2 ** this.value("n", 10);
    const [H, D] = [this.value("H", 8), 64];
    const dense = 4 * H * n * n;
    const kept = 4 * H * n * (4 * D + 1);
    const most = Math.log10(4 * 16 * 2 ** 34);
    const size = (x: number) => Math.log10(x) / most;
    return html`<div class="sliders">${this.slider("n", "Words n", [5, 17, 1], 10, () => n.toLocaleString("en"))}${this.slider("H", "Heads", [1, 16, 1], 8)}</div>
      ${bars("bytes, on a scale of powers of ten", [size(dense), size(kept)], ["all weights, n × n", "q, k, v, output and lse"])}
      <p class="readout answer" aria-live="polite">The weights take <strong>${bytes(dense)}</strong>, everything that goes in and comes out
      <strong>${bytes(kept)}</strong>: ${dense > kept ? `${(dense / kept).toFixed(1)} times less` : "the weights are the smaller part still"}.</p>`;
  }
}

const SCORES = [0.5, 2, -1, 1.2, 3, 0, 2.5, -0.5];
const VALUES = [2, -1, 4, 0, 3, 1, -2, 5];

interface Part {
  readonly output: number;
  readonly lse: number;
}

/** Online softmax: a block of keys at a time, and two numbers that are kept. */
class LabOnline extends Lab {
  #partOf(from: number, to: number): { output: tf.Tensor4D; lse: tf.Tensor3D } {
    const rows = (x: readonly number[]) => tf.tensor4d([...x], [1, 1, x.length, 1]);
    const [k, v] = [rows(SCORES.slice(from, to)), rows(VALUES.slice(from, to))];
    return softAttention(rows([1]), k, v, { scale: 1, lse: true });
  }

  protected override view(): TemplateResult {
    const block = this.value("block", 2);
    const blocks = Math.ceil(SCORES.length / block);
    const read = Math.min(this.value("read", 1), blocks);
    const numbers = ({ output, lse }: { output: tf.Tensor; lse: tf.Tensor }): Part => ({
      output: output.dataSync()[0]!,
      lse: lse.dataSync()[0]!,
    });
    const { parts, kept, whole } = withoutTensors(() => {
      const made = Array.from({ length: read }, (_, n) => this.#partOf(n * block, (n + 1) * block));
      const kept = made.map((_, n) => numbers(mergeAttention(made.slice(0, n + 1))));
      return { parts: made.map(numbers), kept, whole: numbers(this.#partOf(0, SCORES.length)) };
    });
    const now = kept.at(-1)!;
    const share = Math.exp((kept.at(-2)?.lse ?? Number.NEGATIVE_INFINITY) - now.lse);
    const seen = SCORES.map((_, s) => (s < read * block ? 1 : 0));
    return html`<div class="sliders">${this.slider("block", "Keys in a block", [1, 8, 1], 2)}</div>
      <div class="bar">${this.button("One block back", () => this.set("read", read - 1), read <= 1)}${this.button("Next block", () => this.set("read", read + 1), read >= blocks)}</div>
      <div class="row"><figure><figcaption>scores e, values v, and which have been read</figcaption><stage-map .values=${[SCORES, VALUES, seen]} colors="signed" name="scores and values"
        .rowNames=${["e", "v", "read"]} .columnNames=${SCORES.map((_, s) => `s${s}`)}></stage-map></figure></div>
      <p class="readout answer" aria-live="polite">Block ${read} of ${blocks} by itself: out ${decimal(parts.at(-1)!.output, 3)}, lse ${decimal(parts.at(-1)!.lse, 3)}.
      ${read === 1 ? "" : `What was kept counts ${decimal(share, 3)}, the new block ${decimal(1 - share, 3)}.`} Kept now: out <strong>${decimal(now.output, 3)}</strong>, lse <strong>${decimal(now.lse, 3)}</strong>.
      ${read === blocks ? `All at once it is ${decimal(whole.output, 3)} and ${decimal(whole.lse, 3)}: the same.` : ""}</p>`;
  }
}

const LENGTH = 32;
const RULES = [
  { name: "everything", sees: () => true },
  { name: "causal", sees: (i: number, j: number) => j <= i },
  { name: "causal, 8 keys before", sees: (i: number, j: number) => j <= i && j >= i - 8 },
] as const;

/** The tiles of flash attention: whole, in part, or skipped. */
class LabTiles extends Lab {
  protected override view(): TemplateResult {
    const rule = RULES[this.value("rule", 1)]!;
    const block = [2, 4, 8, 16][this.value("block", 1)]!;
    const { cells, share } = withoutTensors(() => {
      const mask = blockMask(LENGTH, LENGTH, rule.sees, { block });
      return { cells: drawBlocks(mask).arraySync() as number[][], share: mask.share };
    });
    const order = cells.flatMap((row, a) => row.flatMap((cell, b) => (cell > 0 ? [{ a, b }] : [])));
    const turn = Math.min(this.value("turn", 1), order.length);
    const now = order[turn - 1]!;
    const [whole, part] = [1, 0.5].map((kind) => cells.flat().filter((cell) => cell === kind).length);
    return html`<div class="sliders">${this.list(
      "rule",
      "Who sees whom",
      RULES.map(({ name }) => name),
      1,
    )}${this.slider("block", "Side of a tile", [0, 3, 1], 1, () => String(block))}
      ${this.slider("turn", "Tile in work", [1, order.length, 1], 1, () => `${turn} of ${order.length}`)}</div>
      <div class="row"><figure><figcaption>${LENGTH} queries ↓ and ${LENGTH} keys →, in tiles: 1 is whole, 0.5 has a mask, 0 is never touched</figcaption>
      <stage-map .values=${cells} colors="weights" name="tiles" .row=${now.a} .column=${now.b} .rowNames=${cells.map((_, a) => `q${a}`)} .columnNames=${cells[0]!.map((_, b) => `k${b}`)}></stage-map></figure>
      <p class="readout answer" aria-live="polite" .style=${"flex:1;min-inline-size:min(14rem,100%)"}>Tile ${turn}: queries ${now.a * block} to ${now.a * block + block - 1} meet keys ${now.b * block} to ${now.b * block + block - 1}.
      ${whole} tiles whole, ${part} with a mask, <strong>${cells.flat().length - order.length} skipped</strong>: ${(100 * share).toFixed(0)} % of the work is done,
      and ${block} × ${block} scores are held at a time instead of ${LENGTH} × ${LENGTH}.</p></div>`;
  }
}

customElements.define("lab-memory", LabMemory);
customElements.define("lab-online", LabOnline);
customElements.define("lab-tiles", LabTiles);

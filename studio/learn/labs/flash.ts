import * as tf from "@tensorflow/tfjs-core";
import { css, html, type TemplateResult } from "lit";
import { scaledDotScore } from "../../../src/attention/score/scaled-dot.ts";
import { softAttention } from "../../../src/attention/sequence/soft-attention.ts";
import { blockMask, denseMask, drawBlocks } from "../../../src/attention/sparse/block-mask.ts";
import { type AttentionPart, mergeAttention } from "../../../src/attention/sparse/merge-attention.ts";
import { withoutTensors } from "../../call/functions.ts";
import "../../parts/stage-map.ts";
import { randomGrid } from "../../playground/values.ts";
import { decimal, Lab } from "../lab.ts";

/** Words, and the width of their queries, keys and values. */
const [WORDS, WIDTH] = [8, 2];
const KINDS = ["every key", "causal"] as const;

/** Where a tile stands among tiles. */
interface Tile {
  readonly a: number;
  readonly b: number;
}

/** What is kept of each query: one number and one row. */
interface Kept {
  readonly lse: readonly number[];
  readonly out: readonly (readonly number[])[];
}

interface Run {
  /** How full each tile is: 0 is skipped. */
  readonly plan: readonly (readonly number[])[];
  readonly order: readonly Tile[];
  /** The scores of the tile in work; what is hidden is −∞. */
  readonly scores: readonly (readonly number[])[];
  readonly before: Kept;
  readonly after: Kept;
  /** How far the rows that are done are from attention over all keys at once. */
  readonly apart: number;
  readonly done: readonly number[];
}

/**
 * Flash attention as it runs: one tile of scores at a time, and of each query the answer so far and the logarithm of its sum. Every
 * number is heed's: the tiles' own attention, merged.
 */
class LabFlash extends Lab {
  static override styles = [
    ...Lab.styles,
    css`
      .tiles { border-spacing: 2px; border-collapse: separate; font-size: 12px; }
      .tiles td { min-inline-size: 3.9rem; block-size: 1.9rem; text-align: center; border: 1px solid var(--heed-line); border-radius: 3px; }
      .tiles td.skipped { border-style: dashed; color: var(--heed-muted); }
      .tiles td.done { background: light-dark(#dcd0f2, #3f3060); }
      .tiles td.now { outline: 3px solid var(--heed-focus); font-weight: 700; }
    `,
  ];

  #run(side: number, isCausal: boolean, turn: number, seed: number): Run {
    return withoutTensors(() => {
      const sees = (i: number, j: number) => !isCausal || j <= i;
      const mask = blockMask(WORDS, WORDS, sees, { block: side });
      const plan = drawBlocks(mask).arraySync() as number[][];
      const order = plan.flatMap((row, a) => row.flatMap((kind, b) => (kind > 0 ? [{ a, b }] : [])));
      const allow = tf.reshape(denseMask(mask), [WORDS, WORDS]) as tf.Tensor2D;
      const [q, k, v] = [0, 1, 2].map((stream) =>
        tf.tensor4d([[randomGrid(seed, 40 + stream, WORDS, WIDTH)]]),
      );
      const rows = (x: tf.Tensor4D, n: number) => tf.slice(x, [0, 0, n * side, 0], [1, 1, side, WIDTH]);
      const seenIn = ({ a, b }: Tile) => tf.slice(allow, [a * side, b * side], [side, side]);
      const attended = (tile: Tile): AttentionPart =>
        softAttention(rows(q!, tile.a), rows(k!, tile.b), rows(v!, tile.b), {
          allow: seenIn(tile),
          lse: true,
        });
      /** What is kept after the first `count` tiles. */
      const keptAfter = (count: number): Kept => {
        const all = plan.map((_, a) =>
          order
            .slice(0, count)
            .filter((tile) => tile.a === a)
            .map(attended),
        );
        const merged = all.map((parts) => (parts.length > 0 ? mergeAttention(parts) : undefined));
        const lse = merged.flatMap((part) =>
          part ? [...part.lse.dataSync()] : new Array<number>(side).fill(-Infinity),
        );
        const none = () => Array.from({ length: side }, () => new Array<number>(WIDTH).fill(0));
        const out = merged.flatMap((part) =>
          part ? (part.output.arraySync()[0]![0] as number[][]) : none(),
        );
        return { lse, out };
      };
      const now = order[turn - 1]!;
      const score = scaledDotScore().score(
        tf.reshape(rows(q!, now.a), [1, side, WIDTH]),
        tf.reshape(rows(k!, now.b), [1, side, WIDTH]),
      );
      const seen = seenIn(now).arraySync() as number[][];
      const scores = (score.arraySync() as number[][][])[0]!.map((row, i) =>
        row.map((x, j) => (seen[i]![j] ? x : Number.NEGATIVE_INFINITY)),
      );
      const after = keptAfter(turn);
      const whole = softAttention(q!, k!, v!, { allow, lse: true }).output.arraySync()[0]![0] as number[][];
      const last = new Map(order.map((tile, n) => [tile.a, n + 1]));
      const done = whole.flatMap((_, i) => (last.get(Math.floor(i / side))! <= turn ? [i] : []));
      const apart = Math.max(
        0,
        ...done.flatMap((i) => whole[i]!.map((x, c) => Math.abs(x - after.out[i]![c]!))),
      );
      return { plan, order, scores, before: keptAfter(turn - 1), after, apart, done };
    });
  }

  protected override view(): TemplateResult {
    const side = [1, 2, 4, 8][this.value("side", 1)]!;
    const kind = this.value("kind", 1);
    const seed = this.value("seed", 3);
    const most = this.#run(side, kind === 1, 1, seed).order.length;
    const turn = Math.max(1, Math.min(this.value("turn", 1), most));
    const run = this.#run(side, kind === 1, turn, seed);
    const now = run.order[turn - 1]!;
    const names = (letter: string, n: number, count: number) =>
      Array.from({ length: count }, (_, i) => `${letter}${n * side + i}`);
    return html`<div class="sliders">${this.list("kind", "Who sees whom", KINDS, 1)}${this.slider("side", "Side of a tile", [0, 3, 1], 1, () => String(side))}
      ${this.slider("seed", "Seed", [0, 99, 1], 3)}</div>
      <div class="bar">${this.button("One tile back", () => this.set("turn", turn - 1), turn <= 1)}${this.button("Next tile", () => this.set("turn", turn + 1), turn >= most)}
        ${this.button("To the end", () => this.set("turn", most), turn >= most)}</div>
      <div class="row">
        <figure><figcaption>tiles: rows of queries ↓, of keys →</figcaption>${this.#tiles(run, turn)}</figure>
        <figure><figcaption>in fast memory: this tile’s scores, and nothing of the others</figcaption>
          <stage-map .values=${run.scores} colors="signed" name="scores of the tile" .rowNames=${names("q", now.a, side)} .columnNames=${names("k", now.b, side)}></stage-map></figure>
        <figure><figcaption>kept of each query: lse, and out so far</figcaption>
          <stage-map .values=${run.after.lse.map((x, i) => [x, ...run.after.out[i]!])} colors="signed" name="kept" .rowNames=${names("q", 0, WORDS)}
            .columnNames=${["lse", "out₀", "out₁"]}></stage-map></figure>
      </div>
      <p class="readout answer" aria-live="polite">${this.#says(run, turn, side)}</p>`;
  }

  #tiles({ plan, order }: Run, turn: number): TemplateResult {
    const placeOf = (a: number, b: number) => order.findIndex((tile) => tile.a === a && tile.b === b) + 1;
    const state = (a: number, b: number) => {
      const at = placeOf(a, b);
      return at === 0 ? "skipped" : at === turn ? "now" : at < turn ? "done" : "later";
    };
    return html`<table class="tiles" role="table" aria-label="tiles"><tbody>${plan.map(
      (row, a) => html`<tr>${row.map((_, b) => html`<td class=${state(a, b)}>${state(a, b)}</td>`)}</tr>`,
    )}</tbody></table>`;
  }

  #says({ order, before, after, done, apart }: Run, turn: number, side: number): TemplateResult {
    const { a, b } = order[turn - 1]!;
    const row = a * side;
    const [was, is] = [before.lse[row]!, after.lse[row]!];
    const share = Math.exp(was - is);
    const held = side * side + WORDS * (1 + WIDTH);
    return html`Tile ${turn} of ${order.length}: queries ${row} to ${row + side - 1} meet keys ${b * side} to ${b * side + side - 1}. Query ${row}
      ${
        was === Number.NEGATIVE_INFINITY
          ? html`had seen nothing; its lse is now ${decimal(is, 3)}.`
          : html`had lse ${decimal(was, 3)}, now ${decimal(is, 3)}: what it had counts exp(${decimal(was, 3)} − ${decimal(is, 3)}) = <strong>${decimal(share, 3)}</strong>, the new keys ${decimal(1 - share, 3)}.`
      }
      ${done.length === 0 ? "No query has met all its keys yet." : html`${done.length} of ${WORDS} queries are done, and their output is that of all keys at once, to ${apart < 5e-7 ? "the sixth decimal" : decimal(apart, 7)}.`}
      ${held} numbers are held, ${WORDS * WORDS + WORDS * WIDTH} where all scores are stored.`;
  }
}

customElements.define("lab-flash", LabFlash);

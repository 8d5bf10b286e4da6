import * as tf from "@tensorflow/tfjs-core";
import { html, nothing, svg, type TemplateResult } from "lit";
import { entmax } from "../../../src/attention/normalize/entmax.ts";
import { NORMALIZERS } from "../../../src/attention/normalize/normalizers.ts";
import { attend } from "../../../src/attention/sequence/attend.ts";
import { softAttention } from "../../../src/attention/sequence/soft-attention.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { normalizedEntropy } from "../../../src/inspect/statistics/row.ts";
import { withoutTensors } from "../../call/functions.ts";
import { gradientOf } from "../../call/gradients.ts";
import "../../parts/stage-map.ts";
import { NORMALIZER_LABELS, NORMALIZER_NAMES, randomGrid } from "../../playground/values.ts";
import { bars, Lab } from "../lab.ts";

const [QUERIES, KEYS] = [24, 64];
const WIDTHS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** The mean entropy of softmax over 64 keys, as a share of ln 64, for unit-normal q and k of width D. */
function entropyAt(D: number, scale: number): number {
  const random = new RandomStream(1, D);
  return withoutTensors(() => {
    const normal = (rows: number) =>
      tf.tensor4d(random.fillNormal(new Float32Array(rows * D)), [1, 1, rows, D]);
    const [q, k] = [normal(QUERIES), normal(KEYS)];
    const weights = softAttention(q, k, k, { weights: true, scale }).weights.dataSync();
    const rows = Array.from({ length: QUERIES }, (_, t) => weights.subarray(t * KEYS, (t + 1) * KEYS));
    return rows.reduce((sum, row) => sum + normalizedEntropy(row), 0) / QUERIES;
  });
}

/** Entropy against D, with the scale and without. */
class LabScale extends Lab {
  readonly #curves = new Map<string, number>();

  #entropy(D: number, isScaled: boolean): number {
    const key = `${D} ${isScaled}`;
    const known = this.#curves.get(key) ?? entropyAt(D, isScaled ? 1 / Math.sqrt(D) : 1);
    this.#curves.set(key, known);
    return known;
  }

  protected override view(): TemplateResult {
    const chosen = this.value("D", 2);
    const D = WIDTHS[chosen]!;
    const [x, y] = [(n: number) => 44 + n * 34, (entropy: number) => 170 - 150 * entropy];
    const line = (isScaled: boolean) =>
      WIDTHS.map((width, n) => `${x(n)},${y(this.#entropy(width, isScaled))}`).join(" ");
    const [scaled, raw] = [this.#entropy(D, true), this.#entropy(D, false)];
    return html`<div class="sliders">${this.slider("D", "Width D of queries and keys", [0, WIDTHS.length - 1, 1], 2, () => String(D))}</div>
      <div class="row"><figure .style=${"inline-size:342px"}><svg width="340" height="205" viewBox="0 0 340 205" role="img" aria-label="How even the weights are, against the width">
        <path d="M40 20V170H326" fill="none" stroke="var(--heed-line)"></path>
        <text x="34" y="24" text-anchor="end">1</text><text x="34" y="174" text-anchor="end">0</text>
        ${WIDTHS.map((width, n) => svg`<text x=${x(n)} y="186" text-anchor="middle">${width}</text>`)}<text x="185" y="202" text-anchor="middle">D</text>
        <line x1=${x(chosen)} x2=${x(chosen)} y1="14" y2="170" stroke="var(--heed-line)" stroke-dasharray="3 3"></line>
        <polyline points=${line(true)} fill="none" stroke="light-dark(#0b57d0, #8ab4f8)" stroke-width="3"></polyline>
        <polyline points=${line(false)} fill="none" stroke="light-dark(#b35806, #f0a25a)" stroke-width="3" stroke-dasharray="7 4"></polyline>
        <circle cx=${x(chosen)} cy=${y(scaled)} r="5" fill="light-dark(#0b57d0, #8ab4f8)"></circle><circle cx=${x(chosen)} cy=${y(raw)} r="5" fill="light-dark(#b35806, #f0a25a)"></circle>
        <text x="322" y=${y(this.#entropy(256, true)) - 8} text-anchor="end">÷ √D</text><text x="322" y=${y(this.#entropy(256, false)) - 10} text-anchor="end">unscaled</text>
      </svg><figcaption>The entropy of the weights over ${KEYS} keys, as a share of ln ${KEYS}: 1 where all are alike, 0 where one key has everything. Random queries and keys, before anything is learnt.</figcaption></figure>
      <p class="readout answer" aria-live="polite" .style=${"flex:1;min-inline-size:min(14rem,100%)"}>D = ${D}: with 1/√D the entropy is <strong>${scaled.toFixed(2)}</strong>, without it <strong>${raw.toFixed(2)}</strong>.
      ${raw < 0.3 ? "Without the scale one key has nearly all the weight already, and the softmax hardly learns from there." : ""}</p></div>`;
  }
}

const TOKENS = ["the", "cat", "sat", "down", "pad", "pad"];

/** Causality, padding and a window on one map. */
class LabMask extends Lab {
  protected override view(): TemplateResult {
    const [corner, length, left] = [this.value("causal", 0), this.value("length", 4), this.value("left", 6)];
    const isPoisoned = this.value("poison", 0) === 1;
    const x = randomGrid(3, 9, TOKENS.length, 4);
    const keys = x.map((row, s) => (isPoisoned && s >= length ? row.map(() => Number.NaN) : row));
    const { masked, weights, output } = withoutTensors(() => {
      const [q, k] = [tf.tensor3d([x]), tf.tensor3d([keys])];
      const mask = {
        keyLengths: [length],
        causal: corner === 1,
        ...(left < 6 && { window: { left } }),
      };
      const { trace } = attend({ queries: q, keys: k, values: k, mask, trace: true });
      const rows = (t: tf.Tensor3D) => t.arraySync()[0]!;
      return { masked: rows(trace.masked), weights: rows(trace.weights), output: trace.output.dataSync() };
    });
    const areNumbers = output.every(Number.isFinite);
    return html`<div class="sliders">${this.list("causal", "Who may be seen", ["every key", "no later key (causal)"])}
      ${this.slider("length", "Words that are real", [1, 6, 1], 4)}${this.slider("left", "Keys before, at most", [0, 6, 1], 6, (n) => (n === 6 ? "all" : String(n)))}
      ${this.list("poison", "What the padding holds", ["numbers", "NaN"])}</div>
      <div class="row"><figure><figcaption>scores, hidden ones hatched</figcaption><stage-map .values=${masked} colors="signed" name="masked scores" .rowNames=${TOKENS} .columnNames=${TOKENS}></stage-map></figure>
      <figure><figcaption>weights: hidden keys have exactly 0</figcaption><stage-map .values=${weights} colors="weights" name="weights" .rowNames=${TOKENS} .columnNames=${TOKENS}></stage-map></figure></div>
      <p class="readout" aria-live="polite">${
        isPoisoned
          ? areNumbers
            ? "The padding is full of NaN, and every output is a number still: what is hidden is skipped, not multiplied by 0."
            : "A real word holds NaN."
          : "Set the padding to NaN: nothing happens to the outputs."
      }</p>`;
  }
}

const SCORES = [1, 2, 0.5, 1.8, -1];
const PRICES = [4, 1, 3, 2, 5];
const NAMES = ["e₁", "e₂", "e₃", "e₄", "e₅"];

/** Temperature and normalisers, and the gradient that each leaves. */
class LabTemperature extends Lab {
  protected override view(): TemplateResult {
    const [tau, chosen] = [this.value("tau", 1), this.value("normalize", 0)];
    const scores = SCORES.map((start, n) => (n === 1 ? this.value("e", start) : start));
    const name = NORMALIZER_NAMES[chosen]!;
    const normalize = (x: tf.Tensor) => {
      const tempered = tf.div(x, tau);
      return name === "entmax" ? entmax(tempered, 1.5) : NORMALIZERS[name](tempered);
    };
    const { weights, slopes } = withoutTensors(() => {
      const x = tf.tensor1d(scores);
      const mean = (e: tf.Tensor) => tf.sum(tf.mul(normalize(e), tf.tensor1d(PRICES)));
      return { weights: Array.from(normalize(x).dataSync()), slopes: Array.from(gradientOf(mean, x)) };
    });
    const isFlat = slopes.every((slope) => Math.abs(slope) < 1e-4);
    return html`<div class="sliders">${this.slider("tau", "Temperature τ", [0.05, 4, 0.05], 1)}${this.list("normalize", "Normaliser", NORMALIZER_LABELS)}
      ${this.slider("e", "Score e₂", [-2, 4, 0.1], SCORES[1]!)}</div>
      <div class="row">${bars("weights α", weights, NAMES)}${bars("gradient of the output by each score", slopes, NAMES, { most: 2 })}</div>
      <p class="readout" aria-live="polite">Entropy ${normalizedEntropy(weights).toFixed(2)}, ${weights.filter((w) => w > 0).length} of 5 weights above 0.
      ${isFlat ? "The gradient is 0 everywhere: a small change of a score changes nothing, so nothing says in which direction to learn." : nothing}</p>`;
  }
}

customElements.define("lab-scale", LabScale);
customElements.define("lab-mask", LabMask);
customElements.define("lab-temperature", LabTemperature);

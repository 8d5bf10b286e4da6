import * as tf from "@tensorflow/tfjs-core";
import { html, type TemplateResult } from "lit";
import { maskAttention } from "../../../src/attention/feature/mask-attention.ts";
import { sinusoidalEncoding } from "../../../src/attention/position/sinusoidal.ts";
import { softAttention } from "../../../src/attention/sequence/soft-attention.ts";
import { withoutTensors } from "../../call/functions.ts";
import "../../parts/stage-map.ts";
import { randomGrid } from "../../playground/values.ts";
import { Lab } from "../lab.ts";

const WORDS = ["dog", "bites", "man"];
const EMBEDDINGS = randomGrid(5, 50, 3, 6);

/** Self-attention on words in an order, with positions or without. */
function read(order: readonly number[], hasPositions: boolean): { weights: number[][]; output: number[][] } {
  return withoutTensors(() => {
    const words = tf.tensor2d(order.map((n) => EMBEDDINGS[n]!));
    const x = tf.reshape(
      hasPositions ? tf.add(words, sinusoidalEncoding(3, 6)) : words,
      [1, 1, 3, 6],
    ) as tf.Tensor4D;
    const { weights, output } = softAttention(x, x, x, { weights: true });
    return { weights: weights.arraySync()[0]![0]!, output: output.arraySync()[0]![0]! };
  });
}

/** Two orders of the same words. */
class LabPositions extends Lab {
  protected override view(): TemplateResult {
    const hasPositions = this.value("positions", 0) === 1;
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
    ];
    const [first, second] = orders.map((order) => read(order, hasPositions)) as [
      ReturnType<typeof read>,
      ReturnType<typeof read>,
    ];
    // “dog” is the first word of the one and the last of the other.
    const apart = Math.max(...first.output[0]!.map((x, c) => Math.abs(x - second.output[2]![c]!)));
    const map = (order: readonly number[], weights: number[][]) => {
      const names = order.map((n) => WORDS[n]!);
      return html`<figure><figcaption>${names.join(" ")}</figcaption><stage-map .values=${weights} colors="weights" name=${names.join(" ")} .rowNames=${names} .columnNames=${names}></stage-map></figure>`;
    };
    return html`<div class="sliders">${this.list("positions", "Positions", ["none", "sines and cosines added"])}</div>
      <div class="row">${map(orders[0]!, first.weights)}${map(orders[1]!, second.weights)}</div>
      <p class="readout answer" aria-live="polite">What “dog” becomes in both sentences differs by at most <strong>${apart.toFixed(3)}</strong>. ${
        hasPositions
          ? "Now its place counts, and who bites whom can be told."
          : "Attention alone sees a set of words: it cannot tell who bites whom."
      }</p>`;
  }
}

const SIDE = 9;
const STEPS = Array.from({ length: SIDE }, (_, n) => (2 * n) / (SIDE - 1) - 1);

/** A sum against a product: the reader tries to imitate x·a by a plane. */
class LabProduct extends Lab {
  protected override view(): TemplateResult {
    const [wx, wa, b] = [this.value("wx", 0.5), this.value("wa", 0.5), this.value("b", 0)];
    const isGate = this.value("net", 0) === 1;
    const { made, target, error, flat } = withoutTensors(() => {
      const x = tf.tensor2d(STEPS.map(() => STEPS));
      const a = tf.transpose(x);
      const product = maskAttention(x, a);
      const plane = tf.add(tf.add(tf.mul(x, wx), tf.mul(a, wa)), b);
      const own = isGate ? maskAttention(x, a) : plane;
      const wrong = tf.mean(tf.square(tf.sub(own, product))).dataSync()[0]!;
      return {
        made: own.arraySync() as number[][],
        target: product.arraySync() as number[][],
        error: wrong,
        // Of all planes the one that is 0 is nearest: x, a and 1 are all uncorrelated with the product.
        flat: tf.mean(tf.square(product)).dataSync()[0]!,
      };
    });
    const image = (rows: number[][]) => rows.map((row) => row.map((value) => (value + 1) / 2));
    return html`<div class="sliders">${this.list("net", "What the unit can do", ["add: w₁ x + w₂ a + b", "multiply: a ⊙ x"])}${
      isGate
        ? ""
        : html`${this.slider("wx", "w₁", [-1, 1, 0.1], 0.5)}${this.slider("wa", "w₂", [-1, 1, 0.1], 0.5)}${this.slider("b", "b", [-1, 1, 0.1], 0)}`
    }</div>
      <div class="row"><figure><figcaption>what it makes of x → and a ↓</figcaption><stage-map .values=${image(made)} colors="image" name="what the unit makes"></stage-map></figure>
      <figure><figcaption>what it should be: x · a</figcaption><stage-map .values=${image(target)} colors="image" name="the product"></stage-map></figure></div>
      <p class="readout answer" aria-live="polite">Mean squared error <strong>${error.toFixed(3)}</strong>. ${
        isGate
          ? "A gate multiplies, so it is exact."
          : `No plane is nearer than ${flat.toFixed(3)}, the one that is 0 everywhere.`
      }</p>`;
  }
}

customElements.define("lab-positions", LabPositions);
customElements.define("lab-product", LabProduct);

import * as tf from "@tensorflow/tfjs-core";
import { html, svg, type TemplateResult } from "lit";
import { hardMaskAttention, maskAttention } from "../../../src/attention/feature/mask-attention.ts";
import { gaussianGlimpse } from "../../../src/attention/glimpse/gaussian-glimpse.ts";
import { softMask } from "../../../src/attention/glimpse/soft-mask.ts";
import { withoutTensors } from "../../call/functions.ts";
import { Adam, namedGradients } from "../../call/gradients.ts";
import "../../parts/stage-map.ts";
import { picture } from "../../playground/presets/scenes.ts";
import { grayPicture } from "../gray-picture.ts";
import { decimal, Lab } from "../lab.ts";

const FEATURES = [3, -1, 4, 2, 0.5, -2];

/** A mask on six features: soft ones multiply, hard ones choose. */
class LabMasks extends Lab {
  protected override view(): TemplateResult {
    const isHard = this.value("hard", 0) === 1;
    const given = FEATURES.map((_, n) => this.value(`a${n}`, [0.9, 0.1, 1, 0.6, 0, 0.3][n]!));
    const a = isHard ? given.map((x) => (x >= 0.5 ? 1 : 0)) : given;
    const glimpse = withoutTensors(() => {
      const z = tf.tensor1d(FEATURES);
      return Array.from(
        (isHard ? hardMaskAttention(z, tf.tensor1d(a)) : maskAttention(z, tf.tensor1d(a))).dataSync(),
      );
    });
    const names = (n: number) => Array.from({ length: n }, (_, at) => `${at + 1}`);
    return html`<div class="sliders">${this.list("hard", "Mask", ["soft: a from 0 to 1", "hard: a is 0 or 1"])}
      ${given.map((value, n) => this.slider(`a${n}`, `a${"₁₂₃₄₅₆"[n]}`, [0, 1, 0.1], value))}</div>
      <div class="row"><figure><figcaption>features z and mask a</figcaption><stage-map .values=${[FEATURES, a]} colors="signed" name="features and mask" .rowNames=${["z", "a"]} .columnNames=${names(6)}></stage-map></figure>
      ${glimpse.length === 0 ? "" : html`<figure><figcaption>the glimpse g</figcaption><stage-map .values=${[glimpse]} colors="signed" name="glimpse" .rowNames=${["g"]} .columnNames=${names(glimpse.length)}></stage-map></figure>`}</div>
      <p class="readout" aria-live="polite">${
        isHard
          ? `The hard mask keeps ${glimpse.length} of 6 features, in their order: g is shorter than z, and nothing is computed for the rest.`
          : "The soft mask keeps all six, each as large as its weight says; what is multiplied by 0 is computed all the same."
      }</p>`;
  }
}

const [H, W] = [18, 20];

/** A map of weights over an image, of logits that fall off from two places. */
class LabSoftMap extends Lab {
  protected override view(): TemplateResult {
    const [sharp, x, y] = [this.value("sharp", 0.6), this.value("x", 9), this.value("y", 8)];
    const isSigmoid = this.value("kind", 0) === 1;
    const image = picture(7, H, W);
    const { map, seen } = withoutTensors(() => {
      const pixel = tf.reshape(tf.tensor2d(image), [1, H, W, 1]) as tf.Tensor4D;
      const away = (at: number, size: number) => tf.square(tf.sub(tf.range(0, size), at));
      // Two places, so that the difference is seen: independent sigmoids open both, a softmax shares between them.
      const near = (row: number, column: number) =>
        tf.neg(tf.mul(tf.add(tf.reshape(away(row, H), [H, 1]), away(column, W)), sharp / 4));
      const logits = tf.add(tf.maximum(near(y, x), near(4, 4)), isSigmoid ? 2 : 0);
      const made = softMask(pixel, { logits: tf.reshape(logits, [1, H, W]) as tf.Tensor3D }, [H, W], {
        normalize: isSigmoid ? "sigmoid" : "softmax",
      });
      return {
        map: tf.reshape(made.map, [H, W]).arraySync() as number[][],
        seen: tf.reshape(made.output, [H, W]).arraySync() as number[][],
      };
    });
    const sum = map.flat().reduce((total, weight) => total + weight, 0);
    const most = Math.max(...map.flat());
    const shown = isSigmoid ? map : map.map((row) => row.map((weight) => weight / most));
    const brightest = Math.max(...seen.flat(), 1e-9);
    return html`<div class="sliders">${this.list("kind", "Normaliser", ["softmax over all pixels", "a sigmoid for each"])}${this.slider("y", "Row", [2, 15, 1], 8)}
      ${this.slider("x", "Column", [2, 17, 1], 9)}${this.slider("sharp", "Sharpness", [0.1, 2, 0.1], 0.6)}</div>
      <div class="row"><figure><figcaption>image</figcaption><stage-map .values=${image} colors="image" name="image"></stage-map></figure>
      <figure><figcaption>mask a, ${isSigmoid ? "from 0 to 1" : `largest ${decimal(most, 3)}`}</figcaption><stage-map .values=${shown} colors="weights" name="mask"></stage-map></figure>
      <figure><figcaption>what passes, a ⊙ I</figcaption><stage-map .values=${seen.map((row) => row.map((v) => v / brightest))} colors="image" name="what passes"></stage-map></figure></div>
      <p class="readout" aria-live="polite">The mask sums to ${decimal(sum, 2)}. ${isSigmoid ? "Each pixel is judged alone, so both places are open." : "All pixels share 1, so the two places compete."}</p>`;
  }
}

const [FRAME, BOX, FRAMES] = [32, 10, 24];

/** A spot that moves over a frame: its place at time t. */
const spotAt = (t: number): readonly [y: number, x: number] => [
  15 + 8 * Math.sin(t / 4.5),
  6 + (20 * t) / FRAMES + 2 * Math.sin(t / 2),
];

/** A glimpse that follows a spot by its gradient, frame by frame. */
class LabTracking extends Lab {
  static override properties = { ...Lab.properties, track: { state: true }, shown: { state: true } };
  /** The glimpse's place in each frame. */
  declare track: readonly (readonly [number, number])[];
  declare shown: number;

  constructor() {
    super();
    this.track = [];
    this.shown = 0;
  }

  protected override firstUpdated(): void {
    this.#follow();
  }

  protected override set(key: string, value: number): void {
    super.set(key, value);
    if (key === "frame") this.shown = value;
    else this.#follow();
  }

  #frame(t: number): tf.Tensor4D {
    const [y, x] = spotAt(t);
    const bell = (at: number) => tf.exp(tf.mul(tf.square(tf.sub(tf.range(0, FRAME), at)), -1 / 8));
    return tf.reshape(tf.mul(tf.reshape(bell(y), [FRAME, 1]), bell(x)), [1, FRAME, FRAME, 1]);
  }

  /** In each frame some steps towards seeing the spot in the middle of the glimpse. */
  #follow(): void {
    const steps = this.value("steps", 6);
    const sigma = this.value("sigma", 1.5);
    const [startY, startX] = spotAt(0);
    const y = tf.variable(tf.tensor1d([startY - BOX / 2]));
    const x = tf.variable(tf.tensor1d([startX - BOX / 2]));
    const adam = new Adam({ learningRate: 0.5, beta2: 0.9 });
    const middle = (BOX - 1) / 2;
    const target = tf.tidy(() => {
      const bell = tf.exp(tf.mul(tf.square(tf.sub(tf.range(0, BOX), middle)), -1 / 8));
      return tf.mul(tf.reshape(bell, [BOX, 1]), bell);
    });
    const track: [number, number][] = [];
    for (let t = 0; t < FRAMES; t++) {
      const frame = tf.tidy(() => this.#frame(t));
      const loss = () => {
        const axis = (u: tf.Variable) => ({
          u: u as unknown as tf.Tensor1D,
          d: tf.tensor1d([1]),
          s: tf.tensor1d([sigma]),
        });
        const { output } = gaussianGlimpse(frame, { y: axis(y), x: axis(x) }, [BOX, BOX]);
        return tf.mean(tf.square(tf.sub(tf.reshape(output, [BOX, BOX]), target))) as tf.Scalar;
      };
      for (let n = 0; n < steps; n++) {
        const { grads } = namedGradients({ y, x }, () => tf.tidy(loss));
        adam.apply(grads, { y, x });
        tf.dispose(grads);
      }
      track.push([y.dataSync()[0]!, x.dataSync()[0]!]);
      frame.dispose();
    }
    adam.dispose();
    tf.dispose([y, x, target]);
    this.track = track;
  }

  protected override view(): TemplateResult {
    const t = Math.min(this.shown, FRAMES - 1);
    const rows = withoutTensors(() => tf.reshape(this.#frame(t), [FRAME, FRAME]).arraySync() as number[][]);
    const zoom = 8;
    const [y, x] = this.track[t] ?? [0, 0];
    const held = this.track.filter(([top, left], at) => {
      const [spotY, spotX] = spotAt(at);
      return Math.hypot(top + (BOX - 1) / 2 - spotY, left + (BOX - 1) / 2 - spotX) < BOX / 2;
    }).length;
    const side = FRAME * zoom;
    return html`<div class="sliders">${this.slider("frame", "Frame", [0, FRAMES - 1, 1], 0)}${this.slider("steps", "Steps of descent a frame", [0, 12, 1], 6)}${this.slider("sigma", "σ", [0.4, 3, 0.1], 1.5)}</div>
      <figure><svg width=${side} height=${side} viewBox=${`0 0 ${side} ${side}`} role="img" aria-label="A frame and the box of the glimpse">
      <image href=${grayPicture(rows)} width=${side} height=${side} .style=${"image-rendering:pixelated"}></image>
      <polyline points=${this.track
        .slice(0, t + 1)
        .map(([top, left]) => `${(left + BOX / 2) * zoom},${(top + BOX / 2) * zoom}`)
        .join(" ")} fill="none" stroke="#00e676" stroke-width="1.5" stroke-dasharray="3 3"></polyline>
      ${svg`<rect x=${x * zoom} y=${y * zoom} width=${BOX * zoom} height=${BOX * zoom} fill="none" stroke="#00e676" stroke-width="2.5"></rect>`}</svg></figure>
      <p class="readout" aria-live="polite">Frame ${t + 1} of ${FRAMES}: the spot is within the box in ${held} of ${FRAMES} frames.</p>`;
  }
}

customElements.define("lab-masks", LabMasks);
customElements.define("lab-soft-map", LabSoftMap);
customElements.define("lab-tracking", LabTracking);

import * as tf from "@tensorflow/tfjs-core";
import { html, type TemplateResult } from "lit";
import { gaussianGlimpse } from "../../../src/attention/glimpse/gaussian-glimpse.ts";
import { spatialTransformer } from "../../../src/attention/glimpse/spatial-transformer.ts";
import { gridSample } from "../../../src/ops/grid-sample.ts";
import { withoutTensors } from "../../call/functions.ts";
import { gradientOf } from "../../call/gradients.ts";
import "../../parts/stage-map.ts";
import { Lab } from "../lab.ts";

const SIDE = 17;
/** A gradient below this is none. */
const LEAST = 1e-6;

const one = (value: number) => tf.tensor1d([value]);

/** How much each pixel of an image counts in one pixel of a glimpse at (y, x): |dg/dI|, as rows. */
function footprint(glimpse: (image: tf.Tensor4D) => tf.Tensor): { rows: number[][]; count: number } {
  return withoutTensors(() => {
    const image = tf.zeros<tf.Rank.R4>([1, SIDE, SIDE, 1]);
    const gradient = Array.from(
      gradientOf((x) => tf.sum(glimpse(x as tf.Tensor4D)), image),
      Math.abs,
    );
    const most = Math.max(...gradient);
    const rows = Array.from({ length: SIDE }, (_, r) =>
      gradient.slice(r * SIDE, (r + 1) * SIDE).map((g) => g / most),
    );
    return { rows, count: gradient.filter((g) => g > LEAST).length };
  });
}

/** Which pixels of the image one pixel of a glimpse hears of. */
class LabFootprint extends Lab {
  protected override view(): TemplateResult {
    const [y, x, s] = [this.value("y", 8.3), this.value("x", 7.6), this.value("s", 1)];
    const axis = (u: number) => ({ u: one(u), d: one(1), s: one(s) });
    const gaussian = footprint((image) => gaussianGlimpse(image, { y: axis(y), x: axis(x) }, [1, 1]).output);
    const at = (pixel: number) => (2 * pixel) / (SIDE - 1) - 1;
    const transformer = footprint((image) =>
      gridSample(image, tf.tensor4d([at(x), at(y)], [1, 1, 1, 2]), { alignCorners: true }),
    );
    return html`<div class="sliders">${this.slider("y", "Row", [2, 14, 0.1], 8.3)}${this.slider("x", "Column", [2, 14, 0.1], 7.6)}
      ${this.slider("s", "σ of the Gaussian", [0.3, 3, 0.1], 1)}</div>
      <div class="row"><figure><figcaption>Gaussian: <strong>${gaussian.count}</strong> pixels</figcaption><stage-map .values=${gaussian.rows} colors="weights" name="footprint of a Gaussian"></stage-map></figure>
      <figure><figcaption>spatial transformer: <strong>${transformer.count}</strong> pixels</figcaption><stage-map .values=${transformer.rows} colors="weights" name="footprint of a spatial transformer"></stage-map></figure></div>
      <p class="readout" aria-live="polite">Bright pixels have a gradient. The transformer hears of the pixels beside it and of no others; the
      Gaussian with σ = ${s} hears of ${gaussian.count}, so it can feel something bright from further away.</p>`;
  }
}

/** Image sides and glimpse sides. */
const SIZES = [
  [16, 4],
  [32, 8],
  [64, 16],
  [128, 32],
  [192, 48],
] as const;

interface Timing {
  readonly size: string;
  readonly gaussian: number;
  readonly transformer: number;
}

/** The least of some times, in milliseconds: what else the machine does only adds. */
function leastTime(work: () => tf.Tensor): number {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 5; n++) {
    const begun = performance.now();
    withoutTensors(() => work().dataSync());
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}

/** What a glimpse costs, by size, in this page. */
class LabTimes extends Lab {
  static override properties = { ...Lab.properties, timings: { state: true }, isRunning: { state: true } };
  declare timings: readonly Timing[];
  declare isRunning: boolean;

  constructor() {
    super();
    this.timings = [];
    this.isRunning = false;
  }

  async #run(): Promise<void> {
    this.isRunning = true;
    this.timings = [];
    for (const [H, h] of SIZES) {
      // Lets the page draw what there is.
      await new Promise((resolve) => setTimeout(resolve, 10));
      const image = tf.randomUniform<tf.Rank.R4>([1, H, H, 1], 0, 1, "float32", 1);
      const axis = { u: one(0), d: one(H / h), s: one(1) };
      const theta = tf.tensor3d([1, 0, 0, 0, 1, 0], [1, 2, 3]);
      const gaussian = leastTime(() => gaussianGlimpse(image, { y: axis, x: axis }, [h, h]).output);
      const transformer = leastTime(
        () => spatialTransformer(image, theta, [h, h], { alignCorners: true }).output,
      );
      tf.dispose([image, theta, axis.u, axis.d, axis.s]);
      this.timings = [...this.timings, { size: `${H}² → ${h}²`, gaussian, transformer }];
    }
    this.isRunning = false;
  }

  protected override view(): TemplateResult {
    const ms = (time: number) => time.toFixed(time < 1 ? 2 : 1);
    return html`<div class="bar">${this.button(this.isRunning ? "Measuring …" : "Measure in this page", () => void this.#run(), this.isRunning)}</div>
      ${
        this.timings.length === 0
          ? html`<p class="muted">Five runs of each, the least time of each; plain loops, one thread.</p>`
          : html`<table><caption>milliseconds a glimpse, on plain loops</caption><thead><tr><th scope="col">image → glimpse</th><th scope="col">Gaussian</th><th scope="col">transformer</th><th scope="col">ratio</th></tr></thead>
        <tbody>${this.timings.map(
          ({ size, gaussian, transformer }) =>
            html`<tr><th scope="row">${size}</th><td>${ms(gaussian)}</td><td>${ms(transformer)}</td><td>${(gaussian / transformer).toFixed(1)} ×</td></tr>`,
        )}</tbody></table>`
      }`;
  }
}

customElements.define("lab-footprint", LabFootprint);
customElements.define("lab-times", LabTimes);

import { html, svg, type TemplateResult } from "lit";
import { call, evaluate } from "../../call/call.ts";
import { FUNCTIONS, numbersOf, withoutTensors } from "../../call/functions.ts";
import { rowsAt } from "../../playground/presets/parts.ts";
import { bars, Lab } from "../lab.ts";

/** Degrees to a vector of that length. */
const at = (degrees: number, length = 1): [number, number] => {
  const angle = (degrees * Math.PI) / 180;
  return [length * Math.cos(angle), length * Math.sin(angle)];
};

const [MIDDLE, UNIT] = [120, 45];

const arrow = ([x, y]: readonly [number, number], name: string, color: string): TemplateResult => {
  const [endX, endY] = [MIDDLE + UNIT * x, MIDDLE - UNIT * y];
  return svg`<line x1=${MIDDLE} y1=${MIDDLE} x2=${endX} y2=${endY} stroke=${color} stroke-width="4" stroke-linecap="round"></line>
    <circle cx=${endX} cy=${endY} r="6" fill=${color}></circle>
    <text x=${endX + (x < 0 ? -18 : 10)} y=${endY + 4} font-weight="600">${name}</text>`;
};

const frame = svg`<rect x="0.5" y="0.5" width="239" height="239" rx="8" fill="none" stroke="var(--heed-line)"></rect>
  <path d="M0 120H240M120 0V240" stroke="var(--heed-line)" stroke-width="0.6"></path>`;

const BLUE = "light-dark(#0b57d0, #8ab4f8)";
const ORANGE = "light-dark(#b35806, #f0a25a)";

/** Two arrows and how alike they are. */
class LabSimilarity extends Lab {
  protected override view(): TemplateResult {
    const q = at(this.value("q", 30), this.value("ql", 1.5));
    const k = at(this.value("k", 75), this.value("kl", 1.2));
    const score = withoutTensors(() => {
      const { dotScore, "tf.tensor3d": tensor } = FUNCTIONS as {
        dotScore: () => { score(a: unknown, b: unknown): unknown };
        "tf.tensor3d": (x: unknown) => unknown;
      };
      return (numbersOf(dotScore().score(tensor([[q]]), tensor([[k]]))) as number[][][])[0]![0]![0]!;
    });
    const between = Math.abs(((this.value("q", 30) - this.value("k", 75) + 540) % 360) - 180);
    const says =
      between < 60
        ? "They point much the same way."
        : between > 120
          ? "They point against each other."
          : "They have little to do with each other.";
    return html`<div class="row"><svg width="240" height="240" viewBox="0 0 240 240" role="img" aria-label="The query and the key as arrows">${frame}${arrow(k, "k", ORANGE)}${arrow(q, "q", BLUE)}</svg>
      <div .style=${"flex:1;min-inline-size:min(16rem,100%)"}><div class="sliders">${this.slider("q", "Direction of q", [0, 355, 5], 30, (x) => `${x}°`)}${this.slider(
        "k",
        "Direction of k",
        [0, 355, 5],
        75,
        (x) => `${x}°`,
      )}${this.slider("ql", "Length of q", [0, 2.4, 0.1], 1.5)}${this.slider("kl", "Length of k", [0, 2.4, 0.1], 1.2)}</div>
      <p class="readout answer" aria-live="polite">q·k = ${q[0].toFixed(2)} × ${k[0].toFixed(2)} + ${q[1].toFixed(2)} × ${k[1].toFixed(
        2,
      )} = <strong>${score.toFixed(2)}</strong>. ${says}</p></div></div>`;
  }
}

const WORDS = ["the", "cat", "sat", "on", "mats"];
const STARTS = [0, 2, 1, -1, 0.5];

const softmaxOf = (scores: number[]): number[] =>
  withoutTensors(
    () =>
      numbersOf(evaluate(call("NORMALIZERS.softmax", call("tf.tensor1d", scores)), FUNCTIONS)) as number[],
  );

/** Scores to shares. */
class LabWeights extends Lab {
  protected override view(): TemplateResult {
    const shift = this.value("shift", 0);
    const scores = STARTS.map((start, n) => this.value(`e${n}`, start) + shift);
    const weights = softmaxOf(scores);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return html`<div class="sliders">${STARTS.map((start, n) => this.slider(`e${n}`, `Score of “${WORDS[n]}”`, [-4, 4, 0.5], start))}
      ${this.slider("shift", "Add to all scores", [-100, 100, 10], 0)}</div>
      <div class="row">${bars("weights α", weights, WORDS)}</div>
      <p class="readout" aria-live="polite">They sum to ${sum.toFixed(3)}. ${
        shift === 0
          ? "Now add the same to all scores."
          : `All scores are ${shift} ${shift > 0 ? "higher" : "lower"}, and no weight has changed: only differences count.`
      }</p>`;
  }
}

const KEYS = [20, 110, 200, 290];
const VALUES = [
  [1.9, 1.2],
  [-1.3, 1.9],
  [-1.9, -1.1],
  [1.2, -1.9],
] as const;

/** The output moves between the values as the query turns. */
class LabSum extends Lab {
  protected override view(): TemplateResult {
    const query = at(this.value("q", 40), this.value("length", 2));
    const { weights, output } = withoutTensors(() => {
      const tensor = (rows: readonly (readonly number[])[]) =>
        call("tf.tensor3d", [rows.map((row) => [...row])]);
      const result = evaluate(
        call("attend", {
          ...{ queries: tensor([query]), keys: tensor(KEYS.map((k) => at(k))), values: tensor(VALUES) },
          ...{ score: call("dotScore"), weights: true },
        }),
        FUNCTIONS,
      );
      return { weights: rowsAt(result, "weights")[0]!, output: rowsAt(result, "output")[0]! };
    });
    const place = ([x, y]: readonly number[]) => [MIDDLE + UNIT * x!, MIDDLE - UNIT * y!] as const;
    const [outX, outY] = place(output);
    return html`<div class="row"><svg width="240" height="240" viewBox="0 0 240 240" role="img" aria-label="The values and their mean">${frame}
      ${VALUES.map((value, s) => {
        const [x, y] = place(value);
        return svg`<line x1=${x} y1=${y} x2=${outX} y2=${outY} stroke=${ORANGE} stroke-width=${8 * weights[s]!}></line>
          <circle cx=${x} cy=${y} r=${4 + 12 * weights[s]!} fill=${ORANGE}></circle><text x=${x + 12} y=${y - 8}>v${s + 1}</text>`;
      })}<circle cx=${outX} cy=${outY} r="8" fill=${BLUE}></circle><text x=${outX + 11} y=${outY + 16} font-weight="600">out</text></svg>
      <div .style=${"flex:1;min-inline-size:min(16rem,100%)"}><div class="sliders">${this.slider("q", "Direction of the query", [0, 355, 5], 40, (x) => `${x}°`)}
      ${this.slider("length", "Length of the query", [0, 8, 0.5], 2)}</div>${bars("weights α", weights, ["k1", "k2", "k3", "k4"])}</div></div>
      <p class="readout" aria-live="polite">${
        this.value("length", 2) === 0
          ? "A query of length 0 asks for nothing: every value has the same share."
          : "Turn the query: the weights follow it, over the same keys and values. A longer query asks more firmly."
      }</p>`;
  }
}

customElements.define("lab-similarity", LabSimilarity);
customElements.define("lab-weights", LabWeights);
customElements.define("lab-sum", LabSum);

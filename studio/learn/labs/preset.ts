import { css, html, nothing, type TemplateResult } from "lit";
import "../../math/formula.ts";
import type { Place } from "../../parts/stage-map.ts";
import "../../parts/stage-map.ts";
import { slider } from "../../parts/slider.ts";
import { CONTROLS, held } from "../../playground/controls.ts";
import { draw } from "../../playground/draw.ts";
import { toHash } from "../../playground/hash.ts";
import type { Axis } from "../../playground/preset.ts";
import { presetNamed, startsOf } from "../../playground/presets/index.ts";
import { namesOf, sentenceOf } from "../../playground/sentences.ts";
import { Lab } from "../lab.ts";

/**
 * `<lab-preset preset="causal" controls="causal left">`: a mechanism of the playground in the text, with some of its sliders, and
 * the way to all of them. `start="T=6 S=6"` sets what it begins with.
 */
class LabPreset extends Lab {
  static override properties = {
    ...Lab.properties,
    preset: {},
    controls: {},
    start: {},
    lit: { state: true },
    place: { state: true },
    plain: { type: Boolean },
  };
  static override styles = [
    ...Lab.styles,
    css`.stages { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; } figure.lit { background: light-dark(#fff3cd, #3d3300); border-radius: 6px; }`,
  ];

  declare preset: string;
  declare controls: string;
  declare start: string | undefined;
  declare lit: string;
  /** The cursor: which query and which key; −1 before the reader points at any. */
  declare place: Readonly<Record<string, number>>;
  /** Without the formula, which the text has. */
  declare plain: boolean;

  constructor() {
    super();
    this.preset = "scaled-dot";
    this.controls = "";
    this.lit = "";
    this.place = { t: -1, s: -1 };
    this.plain = false;
  }

  protected override view(): TemplateResult {
    const preset = presetNamed(this.preset);
    if (!preset) return html`<p>There is no mechanism “${this.preset}”.</p>`;
    const given = Object.fromEntries(
      (this.start ?? "")
        .split(" ")
        .flatMap((pair) => (pair ? [[pair.split("=")[0]!, Number(pair.split("=")[1])]] : [])),
    );
    const state = { preset, values: { ...startsOf(preset), ...given, ...this.values }, edits: {} };
    const { stages } = draw(state);
    const light = (key: string) => (isIn: boolean) => {
      const terms = preset.terms.filter((term) => term.controls.includes(key)).map((term) => term.key);
      this.lit = isIn ? terms.join(" ") : "";
    };
    const lit = this.lit.split(" ");
    return html`${
      this.plain
        ? nothing
        : html`<math-formula links .source=${preset.formula} .lit=${this.lit}
      @term-point=${(event: CustomEvent<string>) => {
        this.lit = event.detail;
      }}></math-formula>`
    }
      <div class="sliders">${this.controls.split(" ").map((key) => {
        const control = CONTROLS.get(key);
        if (!control) return nothing;
        const isLit = preset.terms.some((term) => lit.includes(term.key) && term.controls.includes(key));
        const onChange = (value: number) => this.set(key, held(control, value));
        return slider({ ...control, value: state.values[key]!, lit: isLit, onChange, onPoint: light(key) });
      })}</div>
      <div class="stages">${stages.map(
        ({
          title,
          step,
          values,
          colors,
          axes,
          names,
          terms = [],
        }) => html`<figure class=${terms.some((term) => lit.includes(term)) ? "lit" : ""}>
          <figcaption>${step} → <strong>${title}</strong></figcaption><stage-map .values=${values} .colors=${colors} .name=${title} .row=${this.place[axes[0]] ?? -1} .column=${this.place[axes[1]] ?? -1}
          @place=${(event: CustomEvent<Place>) => this.#move(axes, event.detail)}
          .rowNames=${namesOf(axes[0], values.length)} .columnNames=${names ?? namesOf(axes[1], values[0]?.length ?? 0)}></stage-map></figure>`,
      )}</div>
      <p class="readout" aria-live="polite">${sentenceOf(stages, Math.max(0, this.place.t!), Math.max(0, this.place.s!))}</p>
      <p><a href=${`./playground.html#${toHash(state)}`}>${preset.title} in the playground</a>: every number can be changed there, and it
      gives the code.</p>`;
  }

  #move([rows, columns]: readonly [Axis, Axis], { row, column }: Place): void {
    const moved = { [rows]: row, [columns]: column };
    const { t = this.place.t!, s = this.place.s! } = moved as Record<string, number>;
    this.place = { t, s };
  }
}

customElements.define("lab-preset", LabPreset);

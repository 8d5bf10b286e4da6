import { html, nothing, type TemplateResult } from "lit";

export interface SliderOptions {
  readonly key: string;
  readonly label: string;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly value: number;
  readonly choices?: readonly string[];
  readonly hint?: string;
  readonly lit?: boolean;
  /** The value as it is said, where that is not the number. */
  readonly says?: string;
  readonly onChange: (value: number) => void;
  /** Called with true when it gets the pointer or the focus, with false when it loses them. */
  readonly onPoint?: (isIn: boolean) => void;
}

/** A named slider with its value, or a list where there are choices. */
export function slider(options: SliderOptions): TemplateResult {
  const { key, label, least, most, step, value, choices, hint, lit, says, onChange, onPoint } = options;
  const id = `control-${key}`;
  const onInput = (event: Event) =>
    onChange(Number((event.currentTarget as HTMLInputElement | HTMLSelectElement).value));
  const point = (isIn: boolean) => () => onPoint?.(isIn);
  const shown = says ?? String(Number(value.toFixed(3))).replace("-", "−");
  return html`<div class=${lit ? "control lit" : "control"} @pointerenter=${point(true)} @pointerleave=${point(false)}
    @focusin=${point(true)} @focusout=${point(false)}>
    <label for=${id}>${label}${hint ? html` <small class="muted">${hint}</small>` : nothing}</label>
    ${
      choices
        ? html`<select id=${id} @change=${onInput}>${choices.map(
            (choice, n) => html`<option value=${n} ?selected=${n === value}>${choice}</option>`,
          )}</select>`
        : html`<output for=${id}>${shown}</output><input id=${id} type="range" min=${least} max=${most} step=${step}
            .value=${String(value)} aria-valuetext=${shown} @input=${onInput}>`
    }
  </div>`;
}

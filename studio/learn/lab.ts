import { css, html, LitElement, type TemplateResult } from "lit";
import { slider } from "../parts/slider.ts";
import { controls } from "../parts/styles.ts";

/** A slider's least, most and step. */
export type Range = readonly [least: number, most: number, step: number];

/**
 * A small experiment in the text: some numbers that the reader sets, and what follows from them. heed computes; a lab only asks
 * and draws.
 */
export abstract class Lab extends LitElement {
  static override properties = { values: { state: true } };
  static override styles = [
    controls,
    css`
      :host { margin-block: 0.75rem; }
      .lab { border: 1px solid var(--heed-line); border-radius: 10px; padding: 0.75rem 1rem; background: color-mix(in srgb, var(--heed-raised) 45%, transparent); }
      .sliders { margin-block-start: 0; }
      figure { margin: 0; max-inline-size: 100%; }
      figcaption { font-size: 0.9rem; color: var(--heed-muted); max-inline-size: 34rem; }
      svg { display: block; max-inline-size: 100%; block-size: auto; overflow: visible; }
      .bars { display: grid; grid-template-columns: auto minmax(6rem, 1fr) 4.2rem; gap: 0.2rem 0.6rem; align-items: center; min-inline-size: min(18rem, 100%); flex: 1; font-variant-numeric: tabular-nums; }
      .bars .title { grid-column: 1 / -1; font-size: 0.9rem; color: var(--heed-muted); }
      .bar-track { position: relative; block-size: 18px; background: var(--heed-raised); border-radius: 3px; outline: 1px solid color-mix(in srgb, var(--heed-line) 40%, transparent); }
      .bar-track i { position: absolute; inset-block: 0; border-radius: 3px; background: var(--bar, light-dark(#31688e, #6ab3d8)); forced-color-adjust: none; }
      table:not([role]) { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-block: 0.5rem; }
      table:not([role]) :is(th, td) { border-block-end: 1px solid var(--heed-line); padding: 0.25rem 0.9rem 0.25rem 0; text-align: start; font-weight: 400; }
      caption { text-align: start; color: var(--heed-muted); }
      .answer { font-size: 1.05rem; }
    `,
  ];

  declare values: Readonly<Record<string, number>>;

  constructor() {
    super();
    this.values = {};
  }

  protected abstract view(): TemplateResult;

  override render(): TemplateResult {
    return html`<div class="lab">${this.view()}</div>`;
  }

  /** The value of this name; `start` until the reader sets it. */
  protected value(key: string, start: number): number {
    return this.values[key] ?? start;
  }

  protected set(key: string, value: number): void {
    this.values = { ...this.values, [key]: value };
  }

  protected slider(
    key: string,
    label: string,
    [least, most, step]: Range,
    start: number,
    says?: (value: number) => string,
  ): TemplateResult {
    const value = this.value(key, start);
    return slider({
      ...{ key, label, least, most, step, value },
      ...(says && { says: says(value) }),
      onChange: (next) => this.set(key, next),
    });
  }

  protected list(key: string, label: string, choices: readonly string[], start = 0): TemplateResult {
    return slider({
      ...{ key, label, choices, least: 0, most: choices.length - 1, step: 1 },
      value: this.value(key, start),
      onChange: (next) => this.set(key, next),
    });
  }

  protected button(label: string, onClick: () => void, isDisabled = false): TemplateResult {
    return html`<button type="button" ?disabled=${isDisabled} @click=${onClick}>${label}</button>`;
  }
}

/** A number as it is said, with a minus sign that is one. */
export const decimal = (x: number, digits: number): string => x.toFixed(digits).replace("-", "−");

/** Numbers as bars from 0 to `most`, or on both sides of 0 where some are negative. */
export function bars(
  title: string,
  values: readonly number[],
  names: readonly string[],
  { most = 1, digits = 2 }: { readonly most?: number; readonly digits?: number } = {},
): TemplateResult {
  const isSigned = values.some((value) => value < 0);
  const share = (value: number) => Math.min(1, Math.abs(value) / most) * (isSigned ? 50 : 100);
  const style = (value: number) => {
    const start = isSigned ? (value < 0 ? 50 - share(value) : 50) : 0;
    return `inset-inline-start:${start}%;inline-size:${share(value)}%;${value < 0 ? "--bar:light-dark(#b35806,#e0a063)" : ""}`;
  };
  return html`<div class="bars" role="group" aria-label=${title}><span class="title">${title}</span>${values.map(
    (value, n) =>
      html`<span>${names[n]}</span><span class="bar-track"><i .style=${style(value)}></i></span><span>${decimal(value, digits)}</span>`,
  )}</div>`;
}

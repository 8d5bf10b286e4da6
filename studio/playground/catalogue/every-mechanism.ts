import families, { type Mechanism } from "heed:mechanisms";
import { css, html, nothing, type TemplateResult } from "lit";
import "../../math/formula.ts";
import { formatted } from "../../parts/stage-map.ts";
import { controls } from "../../parts/styles.ts";
import "../code/code-editor.ts";
import { CodePage, namedIn } from "../code/code-page.ts";
import type { CodeFailure, CodeOption, MechanismAnswer } from "../code/protocol.ts";
import { styles } from "../styles.ts";
import { formulaOf } from "./notation.ts";

const ALL = families.flatMap(({ mechanisms }) => mechanisms);
const mechanismOf = (hash: string): Mechanism => {
  const name = namedIn(hash, "mechanism");
  return ALL.find((one) => one.name === name) ?? ALL.find((one) => one.name === "softAttention") ?? ALL[0]!;
};

/**
 * `<every-mechanism>`: each mechanism of heed as its formula, the code that calls it, which the reader may change, and what it
 * gives. Code is interpreted in a worker; the page's fragment names the mechanism, and never carries code.
 */
export class EveryMechanism extends CodePage {
  static override properties = {
    ...CodePage.properties,
    mechanism: { state: true },
    text: { state: true },
    answer: { state: true },
    failure: { state: true },
    busy: { state: true },
    sought: { state: true },
  };
  static override styles = [
    controls,
    styles,
    css`
      .columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 1.5rem; }
      @media (min-width: 80rem) { .columns { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }
      .sentence { font-size: 1.05rem; }
      .facts { font-size: 0.9rem; overflow-wrap: anywhere; }
      .control input { min-block-size: 28px; font: inherit; color: inherit; background: var(--heed-raised); border: 1px solid var(--heed-line); border-radius: 4px; padding: 0 0.4rem; }
      nav input { inline-size: 100%; }
      nav { max-block-size: calc(100vh - 9rem); overflow: auto; position: sticky; inset-block-start: 0.5rem; padding: 3px; }
      nav button { overflow-wrap: anywhere; }
      @media (max-width: 56rem) { nav { position: static; max-block-size: none; } }
    `,
  ];

  declare mechanism: Mechanism;
  declare text: string;
  /** What the code gave when it last ran without an error. */
  declare answer: MechanismAnswer | undefined;
  declare failure: CodeFailure | undefined;
  declare busy: boolean;
  declare sought: string;

  constructor() {
    super();
    this.mechanism = mechanismOf(globalThis.location?.hash ?? "");
    this.text = this.mechanism.draws;
    this.busy = false;
    this.sought = "";
  }

  protected override follow(): void {
    const next = mechanismOf(location.hash);
    if (next !== this.mechanism) this.#show(next);
  }

  protected override begin(): void {
    void this.#run(this.text);
  }

  #show(mechanism: Mechanism): void {
    this.mechanism = mechanism;
    this.answer = undefined;
    this.said = `${mechanism.name}. ${mechanism.sentence}`;
    void this.#run(mechanism.draws);
  }

  #choose(name: string): void {
    const mechanism = ALL.find((one) => one.name === name)!;
    history.pushState(null, "", `#mechanism=${name}`);
    this.#show(mechanism);
  }

  async #run(text: string): Promise<void> {
    this.text = text;
    this.busy = true;
    const of = this.mechanism;
    try {
      const answer = await this.runner.run({ do: "mechanism", text });
      if (of !== this.mechanism || text !== this.text) return;
      this.failure = answer.failure;
      this.answer = answer.failure ? { ...answer, panels: this.answer?.panels ?? [] } : answer;
    } catch (error) {
      if (of !== this.mechanism || text !== this.text) return;
      this.failure = error as CodeFailure & Error;
    }
    this.busy = false;
  }

  #setOption({ start, end }: CodeOption, value: string): void {
    void this.#run(`${this.text.slice(0, start)}${value}${this.text.slice(end)}`);
  }

  override render(): TemplateResult {
    const { mechanism, answer, failure } = this;
    return html`<div class="page">
      <nav aria-label="Mechanisms">${this.#list()}</nav>
      <section aria-labelledby="title" aria-busy=${String(this.busy)}>
        <h2 id="title"><code>${mechanism.name}</code></h2>
        <p class="sentence">${mechanism.sentence}</p>
        ${mechanism.formula ? html`<math-formula .source=${formulaOf(mechanism.formula)}></math-formula>` : nothing}
        <p class="facts muted">${this.#facts()}</p>
        <div class="columns">
          <div>
            ${this.#options(answer?.options ?? [])}
            <code-editor label="The code that draws it" .text=${this.text} .failure=${failure}
              hint="Change anything: it runs in this page. It can call every mechanism, tf and Math, and reach nothing else."
              @code-change=${(event: CustomEvent<string>) => this.#run(event.detail)}></code-editor>
            <div class="bar">
              <button type="button" ?disabled=${this.text === mechanism.draws} @click=${() => this.#run(mechanism.draws)}>Undo what I wrote</button>
              <button type="button" ?disabled=${!answer} @click=${() => this.copy(answer?.code)}>Copy as code</button><span class="muted">${this.said === "Copied." ? this.said : nothing}</span>
            </div>
          </div>
          <div>${this.#panels()}</div>
        </div>
      </section></div>
      <p class="heard" role="status">${this.said}</p>`;
  }

  #facts(): TemplateResult {
    const { cost, papers } = this.mechanism;
    return html`${cost ? html`Cost: ${cost}. ` : nothing}${papers.map(
      (paper, n) =>
        html`${n === 0 ? "Paper: " : ", "}<a href=${`https://${paper}`} rel="noreferrer">${paper}</a>`,
    )}`;
  }

  #options(options: readonly CodeOption[]): TemplateResult | typeof nothing {
    if (options.length === 0) return nothing;
    return html`<h3 id="options">Options</h3><div class="sliders" role="group" aria-labelledby="options">${options.map(
      (option, n) => this.#option(option, n),
    )}</div>`;
  }

  #option(option: CodeOption, n: number): TemplateResult {
    const { value } = option;
    const label = this.#labelOf(option);
    const change = (event: Event) => {
      const { value: given } = event.currentTarget as HTMLInputElement | HTMLSelectElement;
      if (given.trim() !== "" && (typeof value === "boolean" || Number.isFinite(Number(given))))
        this.#setOption(option, given);
    };
    return html`<div class="control"><label for=${`option-${n}`}>${label}</label>${
      typeof value === "boolean"
        ? html`<select id=${`option-${n}`} .value=${String(value)} @change=${change}>${["false", "true"].map(
            (one) =>
              html`<option value=${one} ?selected=${one === String(value)}>${one === "true" ? "on" : "off"}</option>`,
          )}</select>`
        : html`<input id=${`option-${n}`} type="number" step=${Number.isInteger(value) ? 1 : "any"} .value=${String(value)} @change=${change}>`
    }</div>`;
  }

  /** `topKAttention · k`, without the mechanism's own name; arguments by theirs. */
  #labelOf({ label }: CodeOption): string {
    const [owner, ...rest] = label.split(" · ");
    if (rest.length === 0) return label;
    const known = ALL.find(({ name }) => name === owner);
    const named = rest.map((part) =>
      /^\d+$/.test(part) ? known?.parameters[Number(part) - 1] || `argument ${part}` : part,
    );
    return [...(owner === this.mechanism.name ? [] : [owner]), ...named].join(" · ");
  }

  #panels(): TemplateResult {
    const { answer, failure } = this;
    if (!answer) return html`<p class="muted">${failure ? "Nothing is drawn yet." : "Computing …"}</p>`;
    const all = answer.panels.flat(2).filter(Number.isFinite);
    const isShare = all.every((x) => x >= 0 && x <= 1.000001);
    const range =
      all.length > 0 ? `${formatted(Math.min(...all))} to ${formatted(Math.max(...all))}` : "no numbers";
    return html`<h3 id="drawn">What it gives <small class="muted">${isShare ? "0 dark, 1 light; " : "purple below 0, orange above; "}${range}</small></h3>
      ${failure ? html`<p class="before">As it was before the code was changed:</p>` : nothing}
      <div class=${failure ? "stages old" : "stages"} role="group" aria-labelledby="drawn">${answer.panels.map(
        (
          values,
          n,
        ) => html`<figure><figcaption>${answer.panels.length > 1 ? `${n + 1} of ${answer.panels.length}` : nothing}</figcaption>
        <stage-map .values=${values} .colors=${isShare ? "weights" : "signed"} .name=${`${this.mechanism.name}, picture ${n + 1}`}></stage-map></figure>`,
      )}</div>`;
  }

  #list(): TemplateResult {
    const sought = this.sought.trim().toLowerCase();
    const isFound = ({ name, sentence }: Mechanism) => `${name} ${sentence}`.toLowerCase().includes(sought);
    const shown = families
      .map((family) => ({ ...family, mechanisms: family.mechanisms.filter(isFound) }))
      .filter(({ mechanisms }) => mechanisms.length > 0);
    const count = shown.reduce((sum, { mechanisms }) => sum + mechanisms.length, 0);
    return html`
      <label class="search">Search <small class="muted">${count} of ${ALL.length}</small><input type="text" autocomplete="off" .value=${this.sought} @input=${(
        event: Event,
      ) => {
        this.sought = (event.currentTarget as HTMLInputElement).value;
      }}></label>
      <div class="wide">${shown.map(
        ({ title, about, mechanisms }) =>
          html`<h2 title=${about}>${title}</h2><ul>${mechanisms.map(
            ({ name }) =>
              html`<li><button type="button" aria-current=${name === this.mechanism.name} @click=${() =>
                this.#choose(name)}>${name}</button></li>`,
          )}</ul>`,
      )}</div>
      <label class="narrow">Mechanism<select @change=${(event: Event) =>
        this.#choose((event.currentTarget as HTMLSelectElement).value)}>${shown.map(
        ({ title, mechanisms }) =>
          html`<optgroup label=${title}>${mechanisms.map(
            ({ name }) =>
              html`<option value=${name} ?selected=${name === this.mechanism.name}>${name}</option>`,
          )}</optgroup>`,
      )}</select></label>`;
  }
}

customElements.define("every-mechanism", EveryMechanism);

declare global {
  interface HTMLElementTagNameMap {
    "every-mechanism": EveryMechanism;
  }
}

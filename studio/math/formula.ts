import { css, html, LitElement, mathml, nothing, type TemplateResult } from "lit";
import { type MathNode, parseMath } from "./parse.ts";

/**
 * `<math-formula>α_t = softmax_s(e_{ts})</math-formula>`: what stands in it, as MathML. Several lines stand one below the other.
 *
 * Terms (`[key:…]`) listed in `lit`, separated by spaces, are lit; pointing at one sends `term-point`, a click `term-choose`,
 * both with the key.
 */
export class MathFormula extends LitElement {
  static override properties = { source: {}, lit: {}, links: { type: Boolean } };
  static override styles = css`
    :host { display: block; overflow-x: auto; padding-block: 0.35rem; font-size: 1.3rem; }
    math { display: block math; text-align: start; margin: 0.45rem 0; inline-size: fit-content; }
    .term { border-radius: 4px; padding: 0.1em 0.12em; border-block-end: 2px solid transparent; }
    .linked .term { border-block-end: 2px dotted var(--heed-line); cursor: pointer; }
    .linked .term.lit { background: light-dark(#ffe9a8, #5c4a00); border-block-end: 2px solid var(--heed-focus); }
    @media (forced-colors: active) { .linked .term.lit { outline: 2px solid Highlight; } }
    .failure { color: var(--heed-alert); }
  `;

  /** The lines. @default the text in the element */
  declare source: string | undefined;
  declare lit: string | undefined;
  /** Whether the terms lead somewhere. @default false */
  declare links: boolean;

  constructor() {
    super();
    this.links = false;
  }

  /** What is wider than its place can be scrolled by keyboard too. */
  readonly #observer = new ResizeObserver(() => {
    if (this.scrollWidth > this.clientWidth) this.setAttribute("tabindex", "0");
    else this.removeAttribute("tabindex");
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
  }

  override render(): TemplateResult {
    const lines = (this.source ?? this.textContent ?? "").split("\n").filter((line) => line.trim() !== "");
    return html`<div class=${this.links ? "linked" : ""} @pointerover=${this.#onPoint} @pointerleave=${() => this.#send("term-point", "")}
      @click=${this.#onClick}>${lines.map((line) => this.#line(line))}</div>`;
  }

  #line(line: string): TemplateResult {
    try {
      const lit = new Set((this.lit ?? "").split(" "));
      return html`<math display="block">${draw(parseMath(line), lit)}</math>`;
    } catch (error) {
      return html`<p class="failure">${String(error)}</p>`;
    }
  }

  #termAt(event: Event): string | undefined {
    const [target] = event.composedPath();
    return target instanceof Element
      ? (target.closest(".term")?.getAttribute("data-term") ?? undefined)
      : undefined;
  }

  #onPoint(event: Event): void {
    this.#send("term-point", this.#termAt(event) ?? "");
  }

  #onClick(event: Event): void {
    const key = this.#termAt(event);
    if (key) this.#send("term-choose", key);
  }

  #send(type: string, key: string): void {
    if (this.links) this.dispatchEvent(new CustomEvent(type, { detail: key, bubbles: true, composed: true }));
  }
}

type Drawn = TemplateResult | typeof nothing;

function draw(node: MathNode, lit: ReadonlySet<string>): Drawn {
  const inner = (n: MathNode) => draw(n, lit);
  const all = (parts: readonly MathNode[]) => parts.map(inner);
  switch (node.kind) {
    case "variable":
      return mathml`<mi>${node.text}</mi>`;
    case "number":
      return mathml`<mn>${node.text}</mn>`;
    case "operator":
      return node.text === "~" ? mathml`<mspace width="1em"></mspace>` : mathml`<mo>${node.text}</mo>`;
    case "text":
      return mathml`<mtext>\u00a0${node.text}\u00a0</mtext>`;
    case "row":
      return mathml`<mrow>${all(node.parts)}</mrow>`;
    case "term":
      return mathml`<mrow class=${lit.has(node.key) ? "term lit" : "term"} data-term=${node.key}>${all(node.parts)}</mrow>`;
    case "fraction":
      return mathml`<mfrac><mrow>${inner(node.above)}</mrow><mrow>${inner(node.below)}</mrow></mfrac>`;
    case "root":
      return mathml`<msqrt>${inner(node.of)}</msqrt>`;
    case "accent":
      return mathml`<mover accent="true"><mrow>${inner(node.of)}</mrow><mo stretchy="false">${node.mark}</mo></mover>`;
    case "scripts":
      return scripts(node, inner);
  }
}

function scripts(
  { base, sub, sup, limits }: Extract<MathNode, { kind: "scripts" }>,
  inner: (node: MathNode) => Drawn,
): Drawn {
  const [b, below, above] = [inner(base), sub && inner(sub), sup && inner(sup)];
  if (below && above)
    return limits
      ? mathml`<munderover>${b}<mrow>${below}</mrow><mrow>${above}</mrow></munderover>`
      : mathml`<msubsup>${b}<mrow>${below}</mrow><mrow>${above}</mrow></msubsup>`;
  if (below)
    return limits
      ? mathml`<munder>${b}<mrow>${below}</mrow></munder>`
      : mathml`<msub>${b}<mrow>${below}</mrow></msub>`;
  return mathml`<msup>${b}<mrow>${above ?? nothing}</mrow></msup>`;
}

customElements.define("math-formula", MathFormula);

declare global {
  interface HTMLElementTagNameMap {
    "math-formula": MathFormula;
  }
}

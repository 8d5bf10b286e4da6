/** What is shown of an operation: answers, heads that moved, effects, code. */
import { html, type TemplateResult } from "lit";
import type { AnswerFacts, EffectsOutput, LayerFacts, OperateOutput } from "./operate-protocol.ts";
import { LEAST_CHANGE, percent } from "./operate-text.ts";

/** Heads that are listed. */
const MOST_HEADS = 10;

type Go = (layer: number, head: number) => void;

/** How sure the model is of each token that it wrote, unchanged and changed. */
export function answersTable(answers: readonly AnswerFacts[]): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Answers"><table>
    <caption>Probability of each token that it wrote unchanged</caption>
    <thead><tr><th scope="col">token</th><th scope="col">unchanged</th><th scope="col">changed</th></tr></thead>
    <tbody>${answers.map(
      ({
        token,
        before,
        after,
      }) => html`<tr><th scope="row">${token.trim() || "␣"}</th><td>${percent(before)}</td>
        <td data-after=${after}>${percent(after)}${after < before - LEAST_CHANGE ? " ↓" : after > before + LEAST_CHANGE ? " ↑" : ""}</td></tr>`,
    )}</tbody></table></div>`;
}

/** The heads whose weights moved most. */
export function changesList({ changes, layers }: OperateOutput, go: Go): TemplateResult {
  const moved = changes
    .filter(({ change }) => change >= LEAST_CHANGE)
    .sort((a, b) => b.change - a.change)
    .slice(0, MOST_HEADS);
  if (moved.length === 0) return html`<p class="muted">No head looks elsewhere.</p>`;
  return html`<p>Heads that look elsewhere, by the share of their weight that moved:</p>
    <ol>${moved.map(
      ({ layer, head, change }) =>
        html`<li><button type="button" @click=${() => go(layer, head)}>${layers[layer]!.name}, head ${head}</button> ${percent(change)}</li>`,
    )}</ol>`;
}

/** Heads by their effect, exact and to first order beside each other. */
export function effectsTable(
  layers: readonly LayerFacts[],
  exact: EffectsOutput | undefined,
  gradient: EffectsOutput | undefined,
  go: Go,
): TemplateResult {
  const { ranking } = (exact ?? gradient)!;
  const effectOf = (of: EffectsOutput | undefined, layer: number, head: number) =>
    of?.ranking.find((one) => one.layer === layer && one.head === head)?.effect.toFixed(3) ?? "–";
  const time = (of: EffectsOutput | undefined) => (of ? ` (${of.milliseconds.toFixed(0)} ms)` : "");
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Effects of heads"><table>
    <thead><tr><th scope="col">head</th><th scope="col">exact${time(exact)}</th><th scope="col">first order${time(gradient)}</th></tr></thead>
    <tbody>${ranking.map(
      ({
        layer,
        head,
      }) => html`<tr><th scope="row"><button type="button" @click=${() => go(layer, head)}>${layers[layer]!.name}, head ${head}</button></th>
        <td>${effectOf(exact, layer, head)}</td><td>${effectOf(gradient, layer, head)}</td></tr>`,
    )}</tbody></table></div>`;
}

/** The program that makes the changed pass. */
export function codeBlock(code: string, copied: boolean, copy: () => void): TemplateResult {
  return html`<h3>As code</h3>
    <div class="bar"><button type="button" @click=${copy}>Copy as code</button><span role="status">${copied ? "Copied." : ""}</span></div>
    <pre tabindex="0" role="region" aria-label="Code" data-code>${code}</pre>`;
}

/** `<live-models>`: the models of the tasks, run in the page. */
import { html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import "../../src/elements/index.ts";
import { rovingStep } from "../../src/elements/parts/roving.ts";
import { LiveClient } from "./client.ts";
import "./operate.ts";
import "./panels/atoms.ts";
import "./panels/opened.ts";
import "./panels/picture.ts";
import "./panels/summary.ts";
import "./panels/text.ts";
import "./panels/training.ts";
import "./panels/translation.ts";
import { keep, kept } from "./kept.ts";
import { liveStyles } from "./styles.ts";

/** What can be tried, in the order of the tabs: what happens there, and what to do first. */
const TASKS = [
  {
    name: "translation",
    title: "Translation",
    lead: "A sentence is translated as you type",
    hint: "Change the sentence. The map shows which of your words each word of the translation looked at.",
  },
  {
    name: "summary",
    title: "Summary",
    lead: "A text gets a title",
    hint: "Change the text. Every word of the title is written, or copied from where the model looks.",
  },
  {
    name: "language-model",
    title: "Language model",
    lead: "A text goes on, letter by letter",
    hint: "Change the text. Every head of every layer shows which earlier letters each letter looked at.",
  },
  {
    name: "captions",
    title: "Captions",
    lead: "A picture is described",
    hint: "Choose a picture. Bright places are where the model looked when it wrote the word below.",
  },
  {
    name: "detection",
    title: "Detection",
    lead: "Things in a picture are found",
    hint: "Choose a picture. Each found thing has a box, and the places that its query looked at.",
  },
  {
    name: "questions",
    title: "Questions",
    lead: "A question about a picture is answered",
    hint: "Change the question. Bright places are where the model looked when it read the word below.",
  },
  {
    name: "atoms",
    title: "Atoms of reactions",
    lead: "Atoms are followed through a reaction",
    hint: "Change the reaction. The map shows which atom of the reactants each atom of the products was.",
  },
  {
    name: "training",
    title: "Train one",
    lead: "A translator learns while you watch",
    hint: "Press Train. The map becomes a pattern when the translator has found out where to look.",
  },
  {
    name: "opened",
    title: "Your model",
    lead: "A model of yours runs here",
    hint: "Open its files, type a text, and see what every head looks at.",
  },
] as const;
type TaskName = (typeof TASKS)[number]["name"];

const isTask = (name: string): name is TaskName => TASKS.some((task) => task.name === name);

/**
 * The tasks in tabs, each with its model in one worker. Events: `trace-change`, whenever a run gives a new trace, with
 * `detail: { name, trace }`.
 */
export class LiveModels extends LitElement {
  static override properties = {
    modelsBase: { attribute: "models-base" },
    runsBase: { attribute: "runs-base" },
    opened: { attribute: false },
    task: { reflect: true },
    embedded: { type: Boolean },
  };
  static override styles = [liveStyles];

  /** Where the shipped models lie. @default "./weights/" */
  declare modelsBase: string;
  /** Where the runs lie that are shown until a model is there. @default "./runs/" */
  declare runsBase: string;
  /** The files of a published model that the reader opened. */
  declare opened: readonly File[] | undefined;
  declare task: string;
  /** Whether the page shows the traces itself, so that the panels need not. @default false */
  declare embedded: boolean;

  #client: LiveClient | undefined;

  constructor() {
    super();
    this.modelsBase = "./weights/";
    this.runsBase = "./runs/";
    this.task = kept("task", "translation");
    this.embedded = false;
  }

  /** Where the reader begins: the field of the task in front. */
  override focus(): void {
    const panel = this.renderRoot.querySelector<LitElement>("#task > :last-child");
    void panel?.updateComplete?.then(() =>
      panel.renderRoot.querySelector<HTMLElement>("textarea, input, button")?.focus(),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#client?.close();
    this.#client = undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("opened") && this.opened) this.task = "opened";
    if (!isTask(this.task)) this.task = "translation";
    keep("task", this.task);
  }

  #keys(event: KeyboardEvent): void {
    const at = TASKS.findIndex(({ name }) => name === this.task);
    const next = TASKS[rovingStep(event, at, TASKS.length, true) ?? -1];
    if (!next) return;
    event.preventDefault();
    this.task = next.name;
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus(),
    );
  }

  #panel(): TemplateResult {
    this.#client ??= new LiveClient();
    const client = this.#client;
    const modelsBase = new URL(this.modelsBase, document.baseURI).href;
    const runsBase = new URL(this.runsBase, document.baseURI).href;
    const { embedded } = this;
    // One element for each kind: a picture's caption is no answer to a question.
    const picture = (kind: string) =>
      keyed(
        kind,
        html`<live-picture .kind=${kind} .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase}></live-picture>`,
      );
    const panels: Readonly<Record<TaskName, () => TemplateResult>> = {
      translation: () =>
        html`<live-translation .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase} .embedded=${embedded}></live-translation>`,
      summary: () =>
        html`<live-summary .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase} .embedded=${embedded}></live-summary>`,
      "language-model": () =>
        html`<live-language-model .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase} .embedded=${embedded}></live-language-model>`,
      captions: () => html`${picture("captions")}`,
      detection: () => html`${picture("detection")}`,
      questions: () => html`${picture("questions")}`,
      atoms: () =>
        html`<live-atoms .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase} .embedded=${embedded}></live-atoms>`,
      training: () => html`<live-training .client=${client} .embedded=${embedded}></live-training>`,
      opened: () =>
        html`<live-opened .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase} .opened=${this.opened} .embedded=${embedded}></live-opened>`,
    };
    return panels[this.task as TaskName]();
  }

  override render(): TemplateResult {
    const { lead, hint } = TASKS.find(({ name }) => name === this.task) ?? TASKS[0];
    return html`
      <div role="tablist" aria-label="Tasks" @keydown=${this.#keys}>${TASKS.map(
        ({ name, title }) => html`<button type="button" role="tab" id=${`task-${name}`} aria-controls="task"
          aria-selected=${String(name === this.task)} tabindex=${name === this.task ? 0 : -1} @click=${() => {
            this.task = name;
          }}>${title}</button>`,
      )}</div>
      <div id="task" role="tabpanel" aria-labelledby=${`task-${this.task}`}>
        <h2>${lead}</h2><p class="muted">${hint}</p>
        ${this.#panel()}</div>`;
  }
}

customElements.define("live-models", LiveModels);

declare global {
  interface HTMLElementTagNameMap {
    "live-models": LiveModels;
  }
}

/** `<live-models>`: the models of the tasks, run in the page. */
import { html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import "../../src/elements/index.ts";
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

/** What can be tried, in the order of the tabs. */
const TASKS = [
  { name: "translation", title: "Translation" },
  { name: "summary", title: "Summary" },
  { name: "language-model", title: "Language model" },
  { name: "captions", title: "Captions" },
  { name: "detection", title: "Detection" },
  { name: "questions", title: "Questions" },
  { name: "atoms", title: "Atoms of reactions" },
  { name: "training", title: "Train one" },
  { name: "opened", title: "Your model" },
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
  };
  static override styles = [liveStyles];

  /** Where the shipped models lie. @default "./weights/" */
  declare modelsBase: string;
  /** Where the runs lie that are shown until a model is there. @default "./runs/" */
  declare runsBase: string;
  /** The files of a published model that the reader opened. */
  declare opened: readonly File[] | undefined;
  declare task: string;

  #client: LiveClient | undefined;

  constructor() {
    super();
    this.modelsBase = "./weights/";
    this.runsBase = "./runs/";
    this.task = kept("task", "translation");
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
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: TASKS.length - 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.task = TASKS[(next + TASKS.length) % TASKS.length]!.name;
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus(),
    );
  }

  #panel(): TemplateResult {
    this.#client ??= new LiveClient();
    const client = this.#client;
    const modelsBase = new URL(this.modelsBase, document.baseURI).href;
    const runsBase = new URL(this.runsBase, document.baseURI).href;
    // One element for each kind: a picture's caption is no answer to a question.
    const picture = (kind: string) =>
      keyed(
        kind,
        html`<live-picture .kind=${kind} .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase}></live-picture>`,
      );
    const panels: Readonly<Record<TaskName, () => TemplateResult>> = {
      translation: () =>
        html`<live-translation .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase}></live-translation>`,
      summary: () =>
        html`<live-summary .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase}></live-summary>`,
      "language-model": () =>
        html`<live-language-model .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase}></live-language-model>`,
      captions: () => html`${picture("captions")}`,
      detection: () => html`${picture("detection")}`,
      questions: () => html`${picture("questions")}`,
      atoms: () =>
        html`<live-atoms .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase}></live-atoms>`,
      training: () => html`<live-training .client=${client}></live-training>`,
      opened: () =>
        html`<live-opened .client=${client} .modelsBase=${modelsBase} .runsBase=${runsBase} .opened=${this.opened}></live-opened>`,
    };
    return panels[this.task as TaskName]();
  }

  override render(): TemplateResult {
    return html`
      <h2>Models that run in this page</h2>
      <div role="tablist" aria-label="Tasks" @keydown=${this.#keys}>${TASKS.map(
        ({ name, title }) => html`<button type="button" role="tab" id=${`task-${name}`} aria-controls="task"
          aria-selected=${String(name === this.task)} tabindex=${name === this.task ? 0 : -1} @click=${() => {
            this.task = name;
          }}>${title}</button>`,
      )}</div>
      <div id="task" role="tabpanel" aria-labelledby=${`task-${this.task}`}>${this.#panel()}</div>`;
  }
}

customElements.define("live-models", LiveModels);

declare global {
  interface HTMLElementTagNameMap {
    "live-models": LiveModels;
  }
}

import { html, nothing, type TemplateResult } from "lit";
import type { ModelSource } from "../client.ts";
import { FIRST } from "../first.ts";
import { fieldValue, LivePanel } from "../panel.ts";
import type { MapAtomsOutput } from "../protocol.ts";

/** `<live-atoms>`: a reaction in SMILES, and which atom of its reactants each atom of its products was. */
export class LiveAtoms extends LivePanel {
  static override properties = { text: { state: true }, output: { state: true } };
  declare text: string;
  declare output: MapAtomsOutput | undefined;

  constructor() {
    super();
    this.text = FIRST.reaction;
  }

  protected override get source(): ModelSource {
    return { model: "atom-mapping", kind: "atoms", address: new URL("atom-mapping/", this.modelsBase).href };
  }

  override firstUpdated(): void {
    void this.cached<MapAtomsOutput>("atoms").then((output) => output && this.#take(output));
    super.firstUpdated();
  }

  protected override async answer(): Promise<void> {
    if (this.status !== "ready") return;
    const output = await this.ask("mapAtoms", { text: this.text });
    if (output) this.#take(output);
  }

  #take(output: MapAtomsOutput): void {
    this.output = output;
    this.show(output, "atoms");
  }

  override render(): TemplateResult {
    const { output } = this;
    return html`
      <label class="wide">A reaction, reactants&gt;&gt;products in SMILES <input type="text" spellcheck="false" size="60" .value=${this.text} @input=${(
        event: Event,
      ) => {
        this.text = fieldValue(event);
        this.whenIdle(() => this.answer(), 200);
      }} /></label>
      <p class="answer" data-answer>${output?.map.mapped ?? ""}</p>
      ${output ? html`<p class="muted">Confidence ${output.map.confidence.toFixed(3)}. Atoms of one number are one atom, before and after.</p>` : nothing}
      ${this.statusLine()}
      ${this.map("What each product atom looked at")}
      <p class="muted">RDKit, which reads the molecules, is another 7 MB of WebAssembly; it is fetched with the model.</p>`;
  }
}

customElements.define("live-atoms", LiveAtoms);

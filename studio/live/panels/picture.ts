import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { ModelSource } from "../client.ts";
import { FIRST } from "../first.ts";
import { fieldValue, LivePanel } from "../panel.ts";
import type { ModelKind, PictureOutput } from "../protocol.ts";

/** Scenes that ship, of items of Fashion-MNIST. */
const SCENES = FIRST.scenes;

/** What is done with pictures, and with which model. */
const KINDS = {
  captions: {
    model: "captioning",
    answer: "Caption",
    about: "Each word of the caption, and where it looked.",
  },
  detection: {
    model: "detection",
    answer: "Found",
    about: "What was found, and what the query of each item looked at.",
  },
  questions: {
    model: "visual-questions",
    answer: "Answer",
    about: "Each word of the question, and where it looked.",
  },
} as const;

/** `<live-picture kind="captions">`: a picture is captioned, its items are found, or a question about it is answered. */
export class LivePicture extends LivePanel {
  static override properties = {
    kind: {},
    question: { state: true },
    output: { state: true },
    drawn: { state: true },
    seen: { state: true },
    chosen: { state: true },
  };
  declare kind: keyof typeof KINDS;
  declare question: string;
  declare output: PictureOutput | undefined;
  /** Addresses of what is drawn, and of what the model read. */
  declare drawn: string | undefined;
  declare seen: string | undefined;
  declare chosen: number | undefined;

  #picture: Blob | undefined;

  constructor() {
    super();
    this.kind = "captions";
    this.question = FIRST.question;
    this.chosen = SCENES[0]!;
  }

  protected override get source(): ModelSource {
    const { model } = KINDS[this.kind];
    return {
      model,
      kind: this.kind satisfies ModelKind,
      address: new URL(`${model}/`, this.modelsBase).href,
    };
  }

  override firstUpdated(): void {
    void this.cached<PictureOutput>(this.kind).then((output) => output && this.#take(output));
    super.firstUpdated();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("output")) {
      for (const address of [this.drawn, this.seen]) if (address) URL.revokeObjectURL(address);
      const { svg, seen } = this.output ?? {};
      this.drawn = svg && URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
      this.seen =
        seen instanceof Uint8Array ? URL.createObjectURL(new Blob([seen], { type: "image/png" })) : undefined;
    }
  }

  protected override async answer(): Promise<void> {
    if (this.status !== "ready") return;
    this.#picture ??= await sceneAt(this.runsBase, this.chosen ?? SCENES[0]!);
    const input = { picture: this.#picture, ...(this.kind === "questions" && { question: this.question }) };
    const output = await this.ask("see", input);
    if (output) this.#take(output);
  }

  #take(output: PictureOutput): void {
    this.output = output;
    this.show(output, this.kind);
  }

  #choose(picture: Blob | undefined, scene?: number): void {
    this.#picture = picture;
    this.chosen = scene;
    void this.guarded(() => this.answer());
  }

  override render(): TemplateResult {
    const { kind, output, drawn, seen, chosen } = this;
    const { answer, about } = KINDS[kind];
    return html`
      <div class="bar" role="group" aria-label="A picture">${SCENES.map(
        (
          n,
        ) => html`<button class="pick" type="button" aria-pressed=${String(chosen === n)} @click=${() => this.#choose(undefined, n)}>
          <img src=${sceneAddress(this.runsBase, n)} alt=${`Scene ${n}`} width="64" height="64" /></button>`,
      )}
        <label>Your own <input type="file" accept="image/*" @change=${(event: Event) => {
          const [file] = (event.target as HTMLInputElement).files ?? [];
          if (file) this.#choose(file);
        }} /></label></div>
      ${
        kind === "questions"
          ? html`<label class="wide">A question <input type="text" .value=${this.question} @input=${(
              event: Event,
            ) => {
              this.question = fieldValue(event);
              void this.guarded(() => this.answer());
            }} /></label>`
          : nothing
      }
      ${output ? html`<p class="answer" data-answer>${answer}: ${said(output)}</p>` : nothing}
      ${output?.inverted ? html`<p class="muted">Dark and light were exchanged: the model knows bright items on black.</p>` : nothing}
      ${this.statusLine()}
      ${drawn ? html`<p class="muted">${about}</p><div class="scroll strip" tabindex="0" role="region" aria-label=${about}><img src=${drawn} alt=${about} /></div>` : nothing}
      ${seen && chosen === undefined ? html`<p class="muted">What the model read:</p><img class="seen" src=${seen} alt="The picture as greys of 64 by 64" />` : nothing}
      <p class="muted">The models know seven kinds of clothes, as small grey pictures on black; of a photograph they say what it looks like to them, which is mostly wrong.</p>`;
  }
}

const sceneAddress = (base: string, n: number) => new URL(`scene-${n}.png`, base).href;

async function sceneAt(base: string, n: number): Promise<Blob> {
  const response = await fetch(sceneAddress(base, n)).catch(() => undefined);
  if (response?.ok) return response.blob();
  throw new Error("the scene cannot be fetched; check the connection, or choose a picture of your own");
}

function said({ caption, found, answered }: PictureOutput): string {
  if (caption) return caption.caption || "nothing";
  if (found) return found.map(({ name, score }) => `${name} ${score.toFixed(2)}`).join(", ") || "nothing";
  const others = answered?.answers
    .slice(1, 4)
    .map(({ answer, probability }) => `${answer} ${(100 * probability).toFixed(0)} %`);
  return answered
    ? `${answered.answer} (${(100 * answered.answers[0]!.probability).toFixed(0)} %; then ${others?.join(", ")})${answered.unknown.length > 0 ? `; not known: ${answered.unknown.join(", ")}` : ""}`
    : "";
}

customElements.define("live-picture", LivePicture);

import { LitElement } from "lit";
import { copied } from "./copy.ts";
import { CodeRunner } from "./runner.ts";

/**
 * A page on which code is written: it has a worker that runs code, what happened last for those who hear the page, and a place in
 * the fragment of its address, `#mechanism=rope`. Fragments name things to begin with; code never comes from an address.
 */
export abstract class CodePage extends LitElement {
  static override properties = { said: { state: true } };

  declare said: string;
  protected readonly runner = new CodeRunner();

  constructor() {
    super();
    this.said = "";
  }

  /** Shows what the address names. */
  protected abstract follow(): void;
  /** Runs what is shown first. */
  protected abstract begin(): void;

  readonly #onHash = (): void => this.follow();

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener("hashchange", this.#onHash);
    this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener("hashchange", this.#onHash);
    this.runner.end();
  }

  protected async copy(code: string | undefined): Promise<void> {
    this.said = await copied(code ?? "");
  }
}

/** What a fragment such as `#mechanism=rope` names by this key. */
export const namedIn = (hash: string, key: string): string | null =>
  new URLSearchParams(hash.replace(/^#/, "")).get(key);

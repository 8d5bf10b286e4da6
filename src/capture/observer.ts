import type { TraceTensor } from "../inspect/index.ts";
import { attentionCalls } from "../ops/attention/observe.ts";
import { gateCalls, glimpseCalls } from "../ops/observe.ts";
import { tidyData } from "../ops/tidy.ts";
import { type RecordedCall, recordCall, recordGate } from "./record.ts";
import { type RecordedGlimpse, recordGlimpse, recordImage } from "./record-glimpse.ts";
import { valueNorms } from "./value-norms.ts";

/** Keeps one example of every call that some work makes, in the order of the calls. */
export class Observer {
  readonly #op: string;
  readonly #example: number;
  readonly #keepsNorms: boolean;
  readonly calls: RecordedCall[] = [];
  /** The shape of each call's output. */
  readonly outputs: (readonly number[])[] = [];
  /** The lengths of each call's values, where they are kept. */
  readonly norms: Float32Array[] = [];
  readonly gates: [name: string, gate: TraceTensor][] = [];
  readonly glimpses: RecordedGlimpse[] = [];
  /** What the first glimpse is of, as a PNG, where that is a picture. */
  image: Uint8Array | undefined;

  constructor(op: string, example: number, keepsNorms: boolean) {
    this.#op = op;
    this.#example = example;
    this.#keepsNorms = keepsNorms;
  }

  get isEmpty(): boolean {
    return this.calls.length + this.gates.length + this.glimpses.length === 0;
  }

  during<R>(work: () => R): R {
    const [op, example] = [this.#op, this.#example];
    const withGlimpses = () =>
      glimpseCalls.during((call) => {
        if (this.glimpses.length === 0) this.image = tidyData(() => recordImage(op, call, example));
        this.glimpses.push(tidyData(() => recordGlimpse(op, call, example)));
      }, work);
    const withGates = () =>
      gateCalls.during((call) => {
        const gate = tidyData(() => recordGate(op, call, example));
        this.gates.push([`${call.op} ${this.gates.length} ${call.name}`, gate]);
      }, withGlimpses);
    return attentionCalls.during((call) => {
      this.calls.push(tidyData(() => recordCall(op, call, example)));
      this.outputs.push(call.output.shape);
      if (this.#keepsNorms) this.norms.push(tidyData(() => valueNorms(call, example)));
    }, withGates);
  }
}

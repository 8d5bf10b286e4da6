import { engine, keep, serialization, type Tensor, type TensorInfo, util } from "@tensorflow/tfjs-core";

type Inputs = Readonly<Record<string, TensorInfo | undefined>>;
type Outputs = TensorInfo | TensorInfo[];

/** A kernel that ran, and what it made. */
interface Made {
  readonly call: string;
  readonly outputs: readonly Tensor[];
  readonly isList: boolean;
}

/** What is kept takes at most so many bytes; kernels after that run again. */
const MOST_BYTES = 2 ** 28;

/**
 * The kernels of a run, to run it again up to a place without computing them again: what they made then is given.
 *
 * The run must do the same each time. A kernel that has another name or inputs of other shapes than the one that stood in its place
 * ends the replay, and it and all that follow are computed. Only the backend `heed` asks; on others everything is computed.
 */
export class KernelReplay {
  #made: Made[] = [];
  #bytes = 0;
  #at = 0;
  #state: "off" | "recording" | "playing" = "off";

  /** Runs something and keeps what its kernels make, until `dispose`. */
  record<T>(work: () => T): T {
    this.dispose();
    return this.#during("recording", work);
  }

  /** Runs something, of which all is given until `stop` that was recorded. */
  play<T>(work: () => T): T {
    this.#at = 0;
    return this.#during("playing", work);
  }

  /** From here on everything is computed. */
  stop(): void {
    this.#state = "off";
  }

  dispose(): void {
    for (const { outputs } of this.#made) for (const one of outputs) one.dispose();
    [this.#made, this.#bytes] = [[], 0];
  }

  /** What a kernel gives. @param share hands out the elements of a tensor once more */
  run<T extends Outputs>(
    name: string,
    inputs: Inputs,
    share: (tensor: TensorInfo) => TensorInfo,
    kernel: () => T,
  ): T {
    if (this.#state === "off") return kernel();
    const call = callOf(name, inputs);
    if (this.#state === "playing") {
      const next = this.#made[this.#at++];
      if (next?.call === call) {
        const given = next.outputs.map(share);
        return (next.isList ? given : given[0]!) as T;
      }
      this.stop();
      return kernel();
    }
    // Kernels that this one runs belong to it.
    const made = aside(kernel);
    this.#keep(call, made, share);
    return made;
  }

  #keep(call: string, made: Outputs, share: (tensor: TensorInfo) => TensorInfo): void {
    const isList = Array.isArray(made);
    const all = isList ? made : [made];
    this.#bytes += all.reduce((sum, { shape }) => sum + 4 * util.sizeFromShape(shape), 0);
    if (this.#bytes > MOST_BYTES) {
      this.stop();
      return;
    }
    const outputs = all.map((one) => keep(engine().makeTensorFromTensorInfo(share(one))));
    this.#made.push({ call, outputs, isList });
  }

  #during<T>(state: "recording" | "playing", work: () => T): T {
    this.#state = state;
    const outer = current();
    setCurrent(this);
    try {
      return work();
    } finally {
      this.#state = "off";
      setCurrent(outer);
    }
  }
}

function callOf(name: string, inputs: Inputs): string {
  const shapes = Object.entries(inputs ?? {}).map(([input, x]) => `${input} ${x?.dtype} ${x?.shape}`);
  return `${name}: ${shapes.join("; ")}`;
}

const REPLAY = Symbol.for("heed.replay");

/** Kept with TensorFlow.js, as the meter is: kernels of another copy of heed may be those that run. */
const holder = () =>
  serialization.SerializationMap.getMap() as unknown as Record<symbol, KernelReplay | undefined>;

const current = (): KernelReplay | undefined => holder()[REPLAY];

function setCurrent(replay: KernelReplay | undefined): void {
  holder()[REPLAY] = replay;
}

/** Runs a kernel without anyone who records or plays. */
function aside<T>(kernel: () => T): T {
  const outer = current();
  setCurrent(undefined);
  try {
    return kernel();
  } finally {
    setCurrent(outer);
  }
}

/** Runs a kernel, or gives what it made before where somebody plays. */
export function replayed<T extends Outputs>(
  name: string,
  inputs: Inputs,
  share: (tensor: TensorInfo) => TensorInfo,
  kernel: () => T,
): T {
  const replay = current();
  return replay ? replay.run(name, inputs, share, kernel) : kernel();
}

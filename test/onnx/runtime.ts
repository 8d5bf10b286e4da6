/** Files that heed exports, run by onnxruntime-web. */
import * as ort from "onnxruntime-web";
import { keep } from "./native.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** A tensor of a call: float32 where values are a Float32Array, int32 an Int32Array, bool bytes, else int64. */
export interface Given {
  shape: readonly number[];
  values: ArrayLike<number>;
}

export type Feeds = Record<string, Given>;

export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  run(feeds: Feeds): Promise<Record<string, { shape: readonly number[]; values: Float32Array }>>;
  release(): Promise<void>;
}

function tensorOf({ shape, values }: Given): ort.Tensor {
  if (values instanceof Float32Array) return new ort.Tensor("float32", values, shape);
  if (values instanceof Uint8Array) return new ort.Tensor("bool", values, shape);
  if (values instanceof Int32Array) return new ort.Tensor("int32", values, shape);
  return new ort.Tensor("int64", BigInt64Array.from(Array.from(values, BigInt)), shape);
}

export async function sessionOf(file: Uint8Array): Promise<Session> {
  const session = await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  const kept = keep(file);
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(feeds) {
      const wanted = Object.fromEntries(session.inputNames.map((name) => [name, tensorOf(feeds[name]!)]));
      const outputs = await session.run(wanted);
      const read = ([name, { dims, data }]: [string, ort.Tensor]) =>
        [name, { shape: dims, values: data as Float32Array }] as const;
      const made = Object.fromEntries(Object.entries(outputs).map(read));
      const given = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
      kept?.(given, made);
      return made;
    },
    release: () => session.release(),
  };
}

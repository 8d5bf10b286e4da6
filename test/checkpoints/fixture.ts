import { readFileSync } from "node:fs";
import path from "node:path";
import { type ByteSource, memoryBytes } from "../../src/checkpoints/index.ts";

const folder = path.resolve(import.meta.dirname, "../fixtures/checkpoints");

export const pathOf = (name: string) => path.join(folder, name);
export const bytesOf = (name: string) => new Uint8Array(readFileSync(pathOf(name)));

export type Expected = Record<string, { shape: number[]; values: number[] }>;
export const expectedOf = (name: string) => JSON.parse(readFileSync(pathOf(name), "utf8")) as Expected;

/** Numbers without the sign of nothing: d·(q − 8) and d·q − 8·d differ in it. */
export const plain = (values: Iterable<number>) => Array.from(values, (value) => value + 0);

/** A source that remembers what was read of it. */
export function watched(name: string): { source: ByteSource; reads: [offset: number, length: number][] } {
  const inner = memoryBytes(bytesOf(name), name);
  const reads: [number, number][] = [];
  const read: ByteSource["read"] = (offset, length) => {
    reads.push([offset, length]);
    return inner.read(offset, length);
  };
  return { source: { ...inner, read }, reads };
}

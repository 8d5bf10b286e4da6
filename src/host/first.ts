import { serialization } from "@tensorflow/tfjs-core";

/** Whether nobody has asked with this key before: another copy of heed may have, on the same TensorFlow.js. */
export function isFirst(key: string): boolean {
  const marks = serialization.SerializationMap.getMap() as unknown as Record<symbol, true | undefined>;
  const mark = Symbol.for(`heed.${key}`);
  if (marks[mark]) return false;
  marks[mark] = true;
  return true;
}

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-reason.ts";
import { isObject } from "../../core/is-object.ts";
import { jsonCost } from "../../core/json-cost.ts";

const DEEPEST_JSON = 64;
const MOST_JSON = 256 * 2 ** 20;

/**
 * A JSON file beside a model that has an object; undefined where there is none.
 *
 * @throws FileError UNREADABLE · DataError DAMAGED
 */
export function readJsonObject(op: string, file: string): Readonly<Record<string, unknown>> | undefined {
  return readJson(op, file, "object", isObject);
}

/** As `readJsonObject`, of a list. */
export function readJsonList(op: string, file: string): readonly unknown[] | undefined {
  return readJson(op, file, "list", (value) => Array.isArray(value));
}

function readJson<T>(
  op: string,
  file: string,
  kind: string,
  isKind: (value: unknown) => value is T,
): T | undefined {
  let bytes: Buffer;
  try {
    if (!existsSync(file)) return undefined;
    bytes = readFileSync(file);
  } catch (cause) {
    const fault = {
      op,
      rule: `${file} must be readable`,
      got: fileReason(cause),
      remedy: "check its rights",
    };
    throw new FileError("UNREADABLE", fault, { cause });
  }
  const refuse = (got: string) => {
    const rule = `${path.basename(file)} must be a JSON ${kind}`;
    return new DataError("DAMAGED", { op, rule, got, remedy: "download it again", file });
  };
  const cost = jsonCost(bytes);
  if (cost.depth > DEEPEST_JSON) throw refuse(`brackets more than ${DEEPEST_JSON} deep`);
  if (cost.bytes > 8 * MOST_JSON) throw refuse("one that takes too much memory");
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw refuse("text that is no JSON");
  }
  if (!isKind(value)) throw refuse("another value");
  return value;
}

import type { MaskSpec } from "../mask.ts";
import { described, fault, quoted } from "./fault.ts";
import { type LayerInput, ROW_SUMS } from "./trace.ts";

/** Whether this is an integer from `least`. */
export const isCount = (x: unknown, least: number): x is number =>
  Number.isSafeInteger(x) && (x as number) >= least;

/** Checks what a layer says of itself, besides its tensors. */
export function checkFields(
  op: string,
  layer: string,
  { rowSums, scale, softCap, maskSpec, name }: LayerInput,
): void {
  if (rowSums !== undefined && !ROW_SUMS.includes(rowSums)) {
    const remedy = "choose what the rows add up to";
    fault(op, `rowSums of ${layer}`, `be ${ROW_SUMS.join(", ")}`, described(rowSums), remedy);
  }
  if (name !== undefined && typeof name !== "string")
    fault(op, `the name of ${layer}`, "be text", described(name), "write its path in the model");
  if (scale !== undefined && !Number.isFinite(scale))
    fault(op, `scale of ${layer}`, "be a finite number", described(scale), "leave it out for 1/√D");
  if (softCap !== undefined && !(Number.isFinite(softCap) && softCap > 0))
    fault(op, `softCap of ${layer}`, "be a positive number", described(softCap), "leave it out for none");
  if (maskSpec !== undefined) checkMask(op, layer, maskSpec);
}

const MASK_FIELDS = ["offset", "left", "right", "queryLength", "keyLength"];

function checkMask(op: string, layer: string, mask: MaskSpec): void {
  const place = `maskSpec of ${layer}`;
  const remedy = 'write { "right": 0 } for causal; what is left out hides nothing';
  if (typeof mask !== "object" || mask === null || Array.isArray(mask))
    fault(op, place, "be an object", described(mask), remedy);
  for (const [name, value] of Object.entries(mask)) {
    if (!MASK_FIELDS.includes(name))
      fault(op, place, `have only ${MASK_FIELDS.join(", ")}`, quoted(name), remedy);
    const least = name === "offset" ? -Number.MAX_SAFE_INTEGER : 0;
    const rule = least === 0 ? "be an integer ≥ 0" : "be an integer";
    if (value !== undefined && !isCount(value, least))
      fault(op, `${name} in ${place}`, rule, described(value), remedy);
  }
}

/**
 * What one dispatch can hold: examples and heads whose rows a device binds at once. A call that fits is one slice; a
 * larger one is cut by examples, then, where heads stand one after another, by key/value heads.
 */
import { OptionError } from "../../core/errors.ts";
import { type ArrayInfo, size } from "../../core/notation.ts";
import type { AttentionProgram, Broadcast } from "../../core/program.ts";
import { callLayout, type Layout, type RowLayout } from "../layout.ts";
import { tensorBinding } from "./modification.ts";
import type { PassBinding, PassLimits } from "./pass.ts";
import { TABLE_EXAMPLES } from "./uniforms.ts";

/** The operands that can be cut; gradients are cut as what they belong to. */
const OPERANDS = ["q", "k", "v", "out", "bias", "allow"] as const;
export type Operand = (typeof OPERANDS)[number];

/** Examples b0 … b0 + bn − 1 and key/value heads g0 … g0 + gn − 1. */
export interface Slice {
  readonly b0: number;
  readonly bn: number;
  readonly g0: number;
  readonly gn: number;
  /** What to add to the place of a number in the whole array to have its place in the bound part. */
  readonly starts: Readonly<Record<Operand, number>>;
  /** The parts that are bound, in numbers; of those that are not here, all. */
  readonly parts: Readonly<Partial<Record<Operand, { readonly first: number; readonly count: number }>>>;
}

interface Heads {
  readonly b0: number;
  readonly bn: number;
  readonly g0: number;
  readonly gn: number;
}

type Program = AttentionProgram<ArrayInfo>;

/** Offsets of bindings are multiples of 256 bytes on every device: of so many numbers, be they of two bytes or four. */
const ALIGNMENT = 128;

/** The numbers of an operand that heads of a slice read, [first, end), and of the whole. */
type Extent = (heads: Heads) => readonly [first: number, end: number];

function rowExtent(rows: RowLayout, width: number, perGroup: number): Extent {
  return ({ b0, bn, g0, gn }) => {
    const [first, last] = [rows.start(b0, g0 * perGroup, width), b0 + bn - 1];
    const length = rows.starts ? rows.starts[last + 1]! - rows.starts[last]! : rows.length;
    const end = rows.start(last, (g0 + gn) * perGroup - 1, width) + (length - 1) * rows.step(width) + width;
    return [first, Math.max(end, first)];
  };
}

function repeatedExtent({ strides }: Broadcast<ArrayInfo>, { shapes }: Program): Extent {
  const { T, S, H, Hkv } = shapes;
  const group = H / Hkv;
  return ({ b0, bn, g0, gn }) => {
    const first = b0 * strides[0] + g0 * group * strides[1];
    const last = (b0 + bn - 1) * strides[0] + ((g0 + gn) * group - 1) * strides[1];
    return [first, last + (T - 1) * strides[2] + (S - 1) * strides[3] + 1];
  };
}

function extentsOf(program: Program, layout: Layout) {
  const { shapes, bias, allow } = program;
  const { B, H, Hkv, D, Dv } = shapes;
  const { queries, keys } = callLayout(layout, shapes, program.queryLengths, program.keyLengths);
  const group = H / Hkv;
  const of = (extent: Extent, total: number) => ({ extent, total });
  return {
    q: of(rowExtent(queries, D, group), queries.rows(B) * D),
    k: of(rowExtent(keys, D, 1), keys.rows(B) * D),
    v: of(rowExtent(keys, Dv, 1), keys.rows(B) * Dv),
    out: of(rowExtent(queries, Dv, group), queries.rows(B) * Dv),
    ...(bias && { bias: of(repeatedExtent(bias, program), size(bias.array.shape)) }),
    ...(allow && { allow: of(repeatedExtent(allow, program), size(allow.array.shape)) }),
  };
}

type Extents = ReturnType<typeof extentsOf>;

/** The slice of these heads, or the name of what is larger than a device binds. */
function sliceOf(heads: Heads, extents: Extents, most: number): Slice | Operand {
  const starts = { q: 0, k: 0, v: 0, out: 0, bias: 0, allow: 0 };
  const parts: Partial<Record<Operand, { first: number; count: number }>> = {};
  for (const name of OPERANDS) {
    const operand = extents[name];
    if (!operand || operand.total <= most) continue;
    const [begin, end] = operand.extent(heads);
    const first = Math.floor(begin / ALIGNMENT) * ALIGNMENT;
    const count = Math.min(Math.ceil((end - first) / 8) * 8, operand.total - first);
    if (count > most) return name;
    starts[name] = -first;
    parts[name] = { first, count };
  }
  return { ...heads, starts, parts };
}

/** How a pass binds an operand, or a gradient that is cut as it is. */
export function bindingOf(
  slice: Slice,
  name: string,
  access: PassBinding["access"],
  operand: Operand | undefined,
  bytes = 4,
): PassBinding {
  const part = operand && slice.parts[operand];
  if (!part) return { name, access };
  return { name, access, offset: part.first * bytes, size: part.count * bytes };
}

/**
 * The slices of a call, in the order in which they run.
 *
 * @throws OptionError LIMIT where one head of one example is larger than a device binds
 */
export function slicesOf(program: Program, layout: Layout, limits: PassLimits): Slice[] {
  const { op, shapes } = program;
  const { B, H, Hkv } = shapes;
  const extents = extentsOf(program, layout);
  const most = Math.floor(limits.maxStorageBufferBindingSize / 16) * 4;
  const groups = limits.maxComputeWorkgroupsPerDimension;
  const byHeads = layout === "bhtd";
  const slices: Slice[] = [];
  for (let b0 = 0; b0 < B; ) {
    let bn = Math.min(B - b0, TABLE_EXAMPLES, Math.max(1, Math.floor(groups / H)));
    let slice = sliceOf({ b0, bn, g0: 0, gn: Hkv }, extents, most);
    while (typeof slice === "string" && bn > 1) {
      bn = Math.ceil(bn / 2);
      slice = sliceOf({ b0, bn, g0: 0, gn: Hkv }, extents, most);
    }
    if (typeof slice !== "string") slices.push(slice);
    else slices.push(...headSlices(op, b0, byHeads ? Hkv : 1, extents, most, slice));
    b0 += bn;
  }
  return slices;
}

/** One example, by heads. */
function headSlices(
  op: string,
  b0: number,
  Hkv: number,
  extents: Extents,
  most: number,
  largest: Operand,
): Slice[] {
  const slices: Slice[] = [];
  let gn = Hkv;
  for (let g0 = 0; g0 < Hkv; ) {
    let slice =
      gn > 1 || Hkv > 1 ? sliceOf({ b0, bn: 1, g0, gn: Math.min(gn, Hkv - g0) }, extents, most) : largest;
    while (typeof slice === "string") {
      if (gn === 1) {
        throw new OptionError("LIMIT", {
          op,
          rule: `${slice} of one head must fit in what this device binds at once, ${most * 4} bytes`,
          got: `${extents[slice]!.total * 4} bytes of all heads`,
          remedy:
            'use layout "bhtd", shorter sequences, or a mask that is made of lengths, causality and a window',
        });
      }
      gn = Math.ceil(gn / 2);
      slice = sliceOf({ b0, bn: 1, g0, gn: Math.min(gn, Hkv - g0) }, extents, most);
    }
    slices.push(slice);
    g0 += slice.gn;
  }
  return slices;
}

/**
 * What a pass reads beside q and k to make scores: bias, mask and captured tensors, in the order of the shader's head.
 *
 * @param isElsewhere another buffer of the pass has the captured tensors
 */
export const scoreBindings = (
  program: AttentionProgram<ArrayInfo>,
  slice: Slice,
  isElsewhere = false,
): PassBinding[] => [
  ...(program.bias ? [bindingOf(slice, "bias", "read", "bias")] : []),
  ...(program.allow ? [bindingOf(slice, "allow", "read", "allow")] : []),
  ...(isElsewhere ? [] : tensorBinding(program)),
];

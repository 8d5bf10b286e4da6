/**
 * As much of an assembler as modules of expressions need: functions of numbers and vectors on an imported memory. Code is
 * an array of bytes, and every helper answers the bytes that leave its value on the stack.
 */
export type Code = readonly number[];
export type ValueType = "i32" | "f32" | "v128";

const TYPES: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

export function unsigned(n: number): number[] {
  const bytes: number[] = [];
  let rest = n >>> 0;
  do {
    bytes.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function signed(n: number): number[] {
  const bytes: number[] = [];
  for (let rest = n | 0; ; rest >>= 7) {
    const low = rest & 127;
    const isLast = (rest >> 7 === 0 && !(low & 64)) || (rest >> 7 === -1 && (low & 64) !== 0);
    bytes.push(isLast ? low : low | 128);
    if (isLast) return bytes;
  }
}

const floatBytes = (x: number) => [...new Uint8Array(Float32Array.of(x).buffer)];

/** Instructions on vectors, by their names. */
const SIMD = {
  "i32x4.splat": 0x11,
  "f32x4.splat": 0x13,
  "f32x4.eq": 0x41,
  "f32x4.ne": 0x42,
  "f32x4.lt": 0x43,
  "f32x4.le": 0x45,
  "f32x4.ge": 0x46,
  "v128.not": 0x4d,
  "v128.and": 0x4e,
  "v128.or": 0x50,
  "v128.bitselect": 0x52,
  "f32x4.floor": 0x68,
  "i32x4.shl": 0xab,
  "i32x4.shr_s": 0xac,
  "i32x4.add": 0xae,
  "i32x4.sub": 0xb1,
  "i32x4.mul": 0xb5,
  "i32x4.min_s": 0xb6,
  "i32x4.max_s": 0xb8,
  "f32x4.abs": 0xe0,
  "f32x4.neg": 0xe1,
  "f32x4.sqrt": 0xe3,
  "f32x4.add": 0xe4,
  "f32x4.sub": 0xe5,
  "f32x4.mul": 0xe6,
  "f32x4.div": 0xe7,
  "f32x4.min": 0xe8,
  "f32x4.max": 0xe9,
  "i32x4.trunc_sat_f32x4_s": 0xf8,
  "f32x4.convert_i32x4_s": 0xfa,
} as const;

const SCALAR = {
  "i32.eqz": 0x45,
  "i32.lt_s": 0x48,
  "i32.le_s": 0x4c,
  "f32.eq": 0x5b,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.and": 0x71,
  "i32.or": 0x72,
  "i32.shl": 0x74,
  "f32.min": 0x96,
  "f32.max": 0x97,
  "f64.add": 0xa0,
  "f32.convert_i32_s": 0xb2,
  "f64.promote_f32": 0xbb,
} as const;

export type Instruction = keyof typeof SIMD | keyof typeof SCALAR;

/** An instruction after its operands. */
export function op(name: Instruction, ...operands: Code[]): Code {
  const code =
    name in SIMD
      ? [0xfd, ...unsigned(SIMD[name as keyof typeof SIMD])]
      : [SCALAR[name as keyof typeof SCALAR]];
  return [...operands.flat(), ...code];
}

export const i32 = (n: number): Code => [0x41, ...signed(n)];
export const f32 = (x: number): Code => [0x43, ...floatBytes(x)];
/** A vector of the same number four times. */
export const f32x4 = (x: number): Code => {
  const bytes = floatBytes(x);
  return [0xfd, 0x0c, ...bytes, ...bytes, ...bytes, ...bytes];
};
export const i32x4 = (...lanes: [number, number, number, number]): Code => [
  ...[0xfd, 0x0c],
  ...new Uint8Array(Int32Array.from(lanes).buffer),
];

const memory = (offset: number, align: number) => [align, ...unsigned(offset)];
export const load = {
  i32: (address: Code, offset = 0): Code => [...address, 0x28, ...memory(offset, 2)],
  f32: (address: Code, offset = 0): Code => [...address, 0x2a, ...memory(offset, 2)],
  f64: (address: Code, offset = 0): Code => [...address, 0x2b, ...memory(offset, 3)],
  v128: (address: Code, offset = 0): Code => [...address, 0xfd, 0x00, ...memory(offset, 2)],
  splat: (address: Code, offset = 0): Code => [...address, 0xfd, 0x09, ...memory(offset, 2)],
  lane: (address: Code, vector: Code, lane: number): Code => [...address, ...vector, 0xfd, 0x56, 2, 0, lane],
};
export const store = {
  v128: (address: Code, value: Code): Code => [...address, ...value, 0xfd, 0x0b, ...memory(0, 2)],
  f64: (address: Code, value: Code): Code => [...address, ...value, 0x39, ...memory(0, 3)],
};
export const lane = {
  f32: (vector: Code, n: number): Code => [...vector, 0xfd, 0x1f, n],
  i32: (vector: Code, n: number): Code => [...vector, 0xfd, 0x1b, n],
};

export const when = (condition: Code, then: Code, otherwise: Code = []): Code => [
  ...[...condition, 0x04, 0x40, ...then],
  ...(otherwise.length > 0 ? [0x05, ...otherwise] : []),
  0x0b,
];
/** `a` where the condition is not 0, else `b`; both are computed. */
export const choose = (condition: Code, a: Code, b: Code): Code => [...a, ...b, ...condition, 0x1b];

/** A local variable. */
export class Local {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }

  get get(): Code {
    return [0x20, ...unsigned(this.index)];
  }

  set(value: Code): Code {
    return [...value, 0x21, ...unsigned(this.index)];
  }
}

/** A function while its code is made. */
export class FunctionCode {
  readonly params: readonly ValueType[];
  readonly result: ValueType | undefined;
  readonly #locals: ValueType[] = [];
  code: Code = [];

  constructor(params: readonly ValueType[], result?: ValueType) {
    this.params = params;
    this.result = result;
  }

  param(n: number): Local {
    return new Local(n);
  }

  local(type: ValueType): Local {
    this.#locals.push(type);
    return new Local(this.params.length + this.#locals.length - 1);
  }

  /** Runs `body` for n = first, first + step, … while n < end. */
  loop(n: Local, first: Code, end: Code, step: number, body: Code): Code {
    const isLess = op("i32.lt_s", n.get, end);
    const next = n.set(op("i32.add", n.get, i32(step)));
    return [...n.set(first), ...when(isLess, [0x03, 0x40, ...body, ...next, ...isLess, 0x0d, 0, 0x0b])];
  }

  get bytes(): number[] {
    const locals = this.#locals.flatMap((type) => [1, TYPES[type]]);
    const body = [...unsigned(this.#locals.length), ...locals, ...this.code, 0x0b];
    return [...unsigned(body.length), ...body];
  }
}

const text = (words: string) => [...unsigned(words.length), ...new TextEncoder().encode(words)];

function section(id: number, items: readonly Code[]): number[] {
  const bytes = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(bytes.length), ...bytes];
}

/** A module of functions, exported by their names, on `env.memory`, of the kind (shared or not) that is said. */
export function assemble(
  functions: Readonly<Record<string, FunctionCode>>,
  isShared: boolean,
): Uint8Array<ArrayBuffer> {
  const all = Object.values(functions);
  const vector = (types: readonly ValueType[]) => [...unsigned(types.length), ...types.map((t) => TYPES[t])];
  const limits = isShared ? [3, ...unsigned(0), ...unsigned(65536)] : [0, ...unsigned(0)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      all.map(({ params, result }) => [0x60, ...vector(params), ...vector(result ? [result] : [])]),
    ),
    ...section(2, [[...text("env"), ...text("memory"), 2, ...limits]]),
    ...section(
      3,
      all.map((_, n) => unsigned(n)),
    ),
    ...section(
      7,
      Object.keys(functions).map((name, n) => [...text(name), 0, ...unsigned(n)]),
    ),
    ...section(
      10,
      all.map(({ bytes }) => bytes),
    ),
  ]);
}

/** The sizes of a case; Hkv is H and Dv is D unless given. */
export interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  readonly H: number;
  readonly Hkv: number;
  readonly D: number;
  readonly Dv: number;
}

/** An array among the options: with `values`, or drawn from the seed. */
export interface ArraySpec {
  readonly shape: number[];
  readonly dtype?: string;
  readonly values?: (number | string)[];
  readonly share?: number;
  readonly minusInfinity?: number[];
  readonly emptyRows?: number[];
}

export interface CaseOptions {
  readonly scale?: number;
  readonly allow?: ArraySpec;
  readonly bias?: ArraySpec;
  readonly causal?: boolean | "topLeft" | "bottomRight";
  readonly queryOffset?: number;
  readonly window?: { left?: number; right?: number };
  readonly queryLengths?: number[];
  readonly keyLengths?: number[];
  readonly softCap?: number;
  readonly sink?: number | ArraySpec;
  readonly dropout?: { rate: number; seed: number };
  readonly training?: boolean;
  readonly onEmptyRow?: "zero" | "error" | "uniform";
}

/** The same by a function of scores, in the place of some options. */
export interface FunctionSpec {
  readonly name: string;
  readonly numbers?: number[];
  readonly tensors?: Record<string, { shape: number[]; dtype: string; values: number[] }>;
  readonly instead: (keyof CaseOptions)[];
}

export interface Case {
  readonly name: string;
  readonly edge?: string;
  readonly how?: string;
  readonly converted?: string;
  readonly precision?: "float32";
  readonly sizes: Omit<Sizes, "Hkv" | "Dv"> & Partial<Pick<Sizes, "Hkv" | "Dv">>;
  readonly layout?: "bhtd" | "bthd" | "thd";
  readonly seed: number;
  readonly gain?: number;
  readonly dlse?: boolean;
  readonly nan?: "hidden";
  readonly options?: CaseOptions;
  readonly function?: FunctionSpec;
  readonly first: Record<string, (number | string)[]>;
  readonly error?: string;
  readonly without?: string[];
  readonly expected?: Record<string, (number | string)[]>;
  readonly exact?: string[];
  readonly tolerance?: { float32: Record<string, number>; float64: Record<string, number> };
}

export interface Suite {
  readonly format: number;
  readonly source: string;
  readonly versions: Record<string, string>;
  readonly made: string;
  readonly licence: string;
  readonly cases: Case[];
}

/** An array in ordinary memory, row-major. */
export interface Values {
  readonly shape: number[];
  readonly dtype: string;
  readonly values: Float64Array;
}

export interface Inputs {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
  readonly dout: Float64Array;
  readonly dlse: Float64Array | undefined;
  readonly bias: Values | undefined;
  readonly allow: Values | undefined;
  readonly sink: number | Values | undefined;
}

export function philox(counter: number[], key: number[]): number[];
export function bits(seed: number, stream: number, n: number): Uint32Array;
export function draw(seed: number, stream: number, n: number, gain?: number): Float64Array;
export function readNumbers(values: readonly (number | string)[]): Float64Array;
export function sizesOf(c: Pick<Case, "sizes">): Sizes;
export function inputsOf(c: Omit<Case, "first">): Inputs;
export function elementOf(
  array: Pick<Values, "shape" | "values">,
  b: number,
  h: number,
  i: number,
  j: number,
): number;
export function isVisible(
  c: Pick<Case, "sizes" | "options">,
  inputs: Pick<Inputs, "allow" | "bias">,
  b: number,
  h: number,
  i: number,
  j: number,
): boolean;
export function placesOf(c: Pick<Case, "sizes" | "layout" | "options">, name: string): number[] | undefined;
export function toLayout(
  c: Pick<Case, "sizes" | "layout" | "options">,
  name: string,
  values: Float64Array,
): Float64Array;

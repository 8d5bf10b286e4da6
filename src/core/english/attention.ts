const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;

function divisors(n: number): string {
  const all = Array.from({ length: n }, (_, i) => i + 1).filter((i) => n % i === 0);
  return all.length > 1 ? `${all.slice(0, -1).join(", ")} or ${all.at(-1)}` : "1";
}

/** Messages of core and of the attention mechanisms. */
export const attentionMessages = {
  RANDOM_RANGE: (d: { op: string; rule: string; got: number }) =>
    `${d.op}: ${d.rule}, got ${d.got}; round it or choose one in that range`,
  DIMENSION: (d: {
    op: string;
    letter: string;
    a: string;
    aShape: readonly number[];
    b: string;
    bShape: readonly number[];
  }) =>
    `${d.op}: ${d.a} and ${d.b} must have the same ${d.letter}, got shapes ${show(d.aShape)} and ${show(d.bShape)}; ` +
    `make their ${d.letter} equal`,
  WIDTHS: (d: { op: string; queries: readonly number[]; keys: readonly number[] }) =>
    `${d.op}: queries [B, T, D] and keys [B, S, D] must have the same width D, got shapes ${show(d.queries)} and ` +
    `${show(d.keys)}; use generalScore or additiveScore, which take different widths`,
  PARAMETER: (d: { op: string; name: string; expected: readonly number[]; got: readonly number[] }) =>
    `${d.op}: ${d.name} must have shape ${show(d.expected)} here, got ${show(d.got)}; build the score for these widths`,
  LOCATION_LENGTH: (d: { op: string; S: number; longest: number }) =>
    `${d.op}: S=${d.S} keys must not exceed the Smax=${d.longest} columns of w [Dq, Smax], got ${d.S - d.longest} more; ` +
    `build w for the longest source, or cut the source`,
  NO_WIDTH: (d: { op: string; q: readonly number[]; k: readonly number[] }) =>
    `${d.op}: q [B, H, T, D] and k [B, Hkv, S, D] must have a width D of 1 or more, got shapes ${show(d.q)} and ` +
    `${show(d.k)}; queries and keys of no width have no scores`,
  HEADS: (d: { op: string; H: number; Hkv: number }) =>
    `${d.op}: query heads H=${d.H} must be a multiple of key/value heads Hkv=${d.Hkv}, got ${d.H} and ${d.Hkv}; ` +
    `pass k and v with ${divisors(d.H)} heads`,
  BROADCAST: (d: {
    op: string;
    name: string;
    letters: string;
    expected: readonly number[];
    got: readonly number[];
  }) =>
    `${d.op}: ${d.name} must have shape ${d.letters} = ${show(d.expected)}, where any length may be 1, got ` +
    `${show(d.got)}; reshape it so that every axis is named`,
  ALLOW_DTYPE: (d: { op: string; dtype: string }) =>
    `${d.op}: allow must be bool, true where a query may attend, got ${d.dtype}; cast it to bool, or pass numbers to ` +
    `add to the scores as bias`,
  BIAS_DTYPE: (d: { op: string; dtype: string }) =>
    `${d.op}: bias must hold floating-point numbers to add to the scores, got ${d.dtype}; pass booleans as allow`,
  NUMBER_RANGE: (d: { op: string; name: string; rule: string; got: unknown }) =>
    `${d.op}: ${d.name} must be ${d.rule}, got ${String(d.got)}; choose one in that range or leave it out`,
  CHOICE: (d: { op: string; name: string; choices: readonly string[]; got: unknown }) =>
    `${d.op}: ${d.name} must be ${d.choices.join(" or ")}, got ${String(d.got)}; choose one of them`,
  LENGTHS: (d: { op: string; name: string; B: number; most: number; got: readonly number[] }) =>
    `${d.op}: ${d.name} must be B=${d.B} integers from 0 to ${d.most}, got ${show(d.got)}; give one length per example`,
  CAUSAL_CORNER: (d: { op: string; T: number; S: number }) =>
    `${d.op}: causal: true must have T = S, got T=${d.T} and S=${d.S}; say which corner is aligned with ` +
    `causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the first query`,
  WINDOW_CORNER: (d: { op: string; T: number; S: number }) =>
    `${d.op}: a window must know where query 0 stands when T ≠ S, got T=${d.T} and S=${d.S}; give queryOffset, the ` +
    `key position of the first query (0 aligns the first ones, S − T the last ones)`,
  OFFSET_CONFLICT: (d: { op: string; causal: string; implied: number; queryOffset: number }) =>
    `${d.op}: causal: "${d.causal}" already means queryOffset=${d.implied}, got queryOffset=${d.queryOffset}; ` +
    `give one of the two, or causal: true with queryOffset`,
  SINK_SHAPE: (d: { op: string; H: number; got: readonly number[] }) =>
    `${d.op}: sink must be a number or an array [H] = [${d.H}], got shape ${show(d.got)}; give one logit per query head`,
  EMPTY_ROW: (d: { op: string; b: number; h: number; i: number }) =>
    `${d.op}: with onEmptyRow: "error" every query must see a key, got none for example ${d.b}, head ${d.h}, query ` +
    `${d.i}; allow a key there, or use onEmptyRow: "zero" or "uniform"`,
  HARD_MASK: (d: { op: string; index: number; value: number }) =>
    `${d.op}: a hard mask must hold 0 and 1 only, got ${d.value} at ${d.index}; use maskAttention for soft masks`,
  GRADIENT: (d: {
    op: string;
    input: string;
    index: number;
    analytic: number;
    numeric: number;
    tolerance: number;
  }) =>
    `${d.op}: gradients must agree with central differences to ${d.tolerance}, got ${d.analytic} against ${d.numeric} ` +
    `at element ${d.index} of ${d.input}; correct the gradient of that input`,
  GRADIENT_INPUT: (d: { op: string; input: string; expected: number; got: number }) =>
    `${d.op}: the gradient of ${d.input} must have its ${d.expected} elements, got ${d.got}; return one number each`,
};

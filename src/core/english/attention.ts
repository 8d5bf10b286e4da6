const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;

function divisors(n: number): string {
  const all = Array.from({ length: n }, (_, i) => i + 1).filter((i) => n % i === 0);
  return all.length > 1 ? `${all.slice(0, -1).join(", ")} or ${all.at(-1)}` : "1";
}

/** Messages of core and of the attention mechanisms. */
export const attentionMessages = {
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
  HEADS: (d: { op: string; H: number; Hkv: number }) =>
    `${d.op}: query heads H=${d.H} must be a multiple of key/value heads Hkv=${d.Hkv}, got ${d.H} and ${d.Hkv}; ` +
    `pass k and v with ${divisors(d.H)} heads`,
  NUMBER_RANGE: (d: { op: string; name: string; rule: string; got: unknown }) =>
    `${d.op}: ${d.name} must be ${d.rule}, got ${String(d.got)}; choose one in that range or leave it out`,
  CHOICE: (d: { op: string; name: string; choices: readonly string[]; got: unknown }) =>
    `${d.op}: ${d.name} must be ${d.choices.join(" or ")}, got ${String(d.got)}; choose one of them`,
  CAUSAL_CORNER: (d: { op: string; T: number; S: number }) =>
    `${d.op}: causal: true must have T = S, got T=${d.T} and S=${d.S}; say which corner is aligned with ` +
    `causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the first query`,
  WINDOW_CORNER: (d: { op: string; T: number; S: number }) =>
    `${d.op}: a window must know where query 0 stands when T ≠ S, got T=${d.T} and S=${d.S}; give queryOffset, the ` +
    `key position of the first query (0 aligns the first ones, S − T the last ones)`,
  EMPTY_ROW: (d: { op: string; b: number; h: number; i: number }) =>
    `${d.op}: with onEmptyRow: "error" every query must see a key, got none for example ${d.b}, head ${d.h}, query ` +
    `${d.i}; allow a key there, or use onEmptyRow: "zero" or "uniform"`,
};

// Small SIMD helpers. ASC_FEATURE_RELAXED_SIMD is a compile-time constant, so the plain build carries no trace of
// the relaxed instructions and one source serves both.

/** a·b + c: two roundings in the plain build; one or two in the relaxed one, as the engine and its CPU decide. */
// @ts-ignore: decorator
@inline export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Address of element `i` of a float32 or int32 array. */
// @ts-ignore: decorator
@inline export function at(base: usize, i: i32): usize {
  return base + ((<usize>(<u32>i)) << 2);
}

const SERIES_TERMS = 12;

/** The natural logarithm by +, ×, ÷ alone: `Math.log` may differ in its last bit between engines. */
function logarithm(x: number): number {
  let exponent = 0;
  while (x < Math.SQRT1_2) {
    x *= 2;
    exponent--;
  }
  const z = (x - 1) / (x + 1); // |z| ≤ 0.172, so z^25 is below 1e-19
  let sum = 0;
  for (let k = SERIES_TERMS; k >= 0; k--) sum = sum * z * z + 1 / (2 * k + 1);
  return exponent * Math.LN2 + 2 * z * sum;
}

/**
 * The point below which a standard normal number falls with probability p, 0 < p < 1; about 7 digits.
 * Algorithm AS 241, PPND7 (Wichura 1988, Applied Statistics 37(3)). Arithmetic and square root alone, which IEEE 754
 * rounds the same way everywhere.
 *
 * @example
 * inverseNormal(0.975); // 1.959964
 */
export function inverseNormal(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    const top = ((59.10937472 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179;
    return (q * top) / (((67.1875636 * r + 78.757757664) * r + 17.895169469) * r + 1);
  }
  let r = Math.sqrt(-logarithm(q < 0 ? p : 1 - p));
  let x: number;
  if (r <= 5) {
    r -= 1.6;
    const top = ((0.17023821103 * r + 1.3067284816) * r + 2.75681539) * r + 1.4234372777;
    x = top / ((0.12021132975 * r + 0.7370016425) * r + 1);
  } else {
    r -= 5;
    const top = ((0.017337203997 * r + 0.42868294337) * r + 3.081226386) * r + 6.657905115;
    x = top / ((0.012258202635 * r + 0.24197894225) * r + 1);
  }
  return q < 0 ? -x : x;
}

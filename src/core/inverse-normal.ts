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
 * The quotients of polynomials of PPND7, highest powers first: within `within` of the middle, of 0.180625 − q²; in the tails of
 * √(−log p) less `less`, the second from `from` on.
 */
export const QUANTILE = {
  middle: {
    within: 0.425,
    square: 0.180625,
    top: [59.10937472, 159.29113202, 50.434271938, 3.3871327179],
    bottom: [67.1875636, 78.757757664, 17.895169469, 1],
  },
  tail: {
    less: 1.6,
    top: [0.17023821103, 1.3067284816, 2.75681539, 1.4234372777],
    bottom: [0.12021132975, 0.7370016425, 1],
  },
  end: {
    from: 5,
    less: 5,
    top: [0.017337203997, 0.42868294337, 3.081226386, 6.657905115],
    bottom: [0.012258202635, 0.24197894225, 1],
  },
} as const;

function polynomial(powers: readonly number[], x: number): number {
  let sum = powers[0]!;
  for (let n = 1; n < powers.length; n++) sum = sum * x + powers[n]!;
  return sum;
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
  const { middle, tail, end } = QUANTILE;
  const q = p - 0.5;
  if (Math.abs(q) <= middle.within) {
    const r = middle.square - q * q;
    return (q * polynomial(middle.top, r)) / polynomial(middle.bottom, r);
  }
  const r = Math.sqrt(-logarithm(q < 0 ? p : 1 - p));
  const { less, top, bottom } = r <= end.from ? tail : end;
  const x = polynomial(top, r - less) / polynomial(bottom, r - less);
  return q < 0 ? -x : x;
}

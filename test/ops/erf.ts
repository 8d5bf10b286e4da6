/** The error function in float64: its series near 0, the continued fraction of erfc further out. */
export function erf(x: number): number {
  if (Math.abs(x) >= 3) return Math.sign(x) * (1 - tail(Math.abs(x)));
  let term = x;
  let sum = x;
  for (let k = 1; k < 120; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** 1 − erf x, as accurate for great x as for small. */
export function erfc(x: number): number {
  return x >= 3 ? tail(x) : 1 - erf(x);
}

function tail(x: number): number {
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

/**
 * eˣ, ln and tanh on four floats, as code: the polynomials of assembly/math.ts (Cephes, single precision), of products and
 * sums with a rounding each, so that both builds of the kernels agree. Within 1, 1 and 2 units in the last place.
 */
import { type Code, type FunctionCode, f32x4, i32, i32x4, type Local, op } from "./assembler.ts";

const add = (a: Code, b: Code) => op("f32x4.add", a, b);
const sub = (a: Code, b: Code) => op("f32x4.sub", a, b);
const mul = (a: Code, b: Code) => op("f32x4.mul", a, b);
const bits = (n: number) => i32x4(n, n, n, n);

/** Horner's scheme: the coefficients of x, highest first. */
function polynomial(x: Code, [first, ...rest]: readonly number[]): Code {
  return rest.reduce<Code>((p, c) => add(mul(p, x), f32x4(c)), f32x4(first!));
}

const ROUND = 12582912;

/** eˣ; 0 below −103.98 and ∞ above 88.73. */
export function exp(made: FunctionCode, input: Code): Code {
  const [x, shifted, r, whole, half] = locals(made, 5);
  const n = sub(shifted.get, f32x4(ROUND));
  const power = (exponent: Code) => op("i32x4.shl", op("i32x4.add", exponent, bits(127)), i32(23));
  const series = polynomial(
    r.get,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
  );
  return [
    ...x.set(op("f32x4.min", op("f32x4.max", input, f32x4(-104)), f32x4(89))),
    ...shifted.set(add(mul(x.get, f32x4(Math.LOG2E)), f32x4(ROUND))),
    ...r.set(add(mul(n, f32x4(-0.693359375)), x.get)),
    ...r.set(add(mul(n, f32x4(2.1219444e-4)), r.get)),
    ...whole.set(op("i32x4.sub", shifted.get, f32x4(ROUND))),
    ...half.set(op("i32x4.shr_s", whole.get, i32(1))),
    ...mul(
      mul(add(add(mul(series, mul(r.get, r.get)), r.get), f32x4(1)), power(half.get)),
      power(op("i32x4.sub", whole.get, half.get)),
    ),
  ];
}

/** tanh x: a polynomial below 0.625, where 1 − 2/(e²ˣ + 1) would cancel. */
export function tanh(made: FunctionCode, input: Code): Code {
  const [x, size, z] = locals(made, 3);
  const series = polynomial(
    z.get,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
  );
  const small = add(mul(mul(series, z.get), x.get), x.get);
  const large = sub(f32x4(1), op("f32x4.div", f32x4(2), add(exp(made, add(size.get, size.get)), f32x4(1))));
  const y = op("v128.bitselect", small, large, op("f32x4.lt", size.get, f32x4(0.625)));
  return [
    ...x.set(input),
    ...size.set(op("f32x4.abs", x.get)),
    ...z.set(mul(x.get, x.get)),
    ...op("v128.or", y, op("v128.and", x.get, bits(-(2 ** 31)))),
  ];
}

/** ln x: −∞ at 0, NaN below, ∞ at ∞. */
export function log(made: FunctionCode, input: Code): Code {
  const [x, tiny, lifted, n, r, z, y] = locals(made, 7);
  const offset = 0x3f800000 - 0x3f3504f3;
  const exponent = op("i32x4.sub", op("i32x4.shr_s", lifted.get, i32(23)), bits(127));
  const mantissa = op("i32x4.add", op("v128.and", lifted.get, bits(0x007fffff)), bits(0x3f3504f3));
  const series = polynomial(
    r.get,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  );
  const scaled = op("v128.bitselect", mul(x.get, f32x4(8388608)), x.get, tiny.get);
  const sum = add(
    mul(n.get, f32x4(0.693359375)),
    add(
      r.get,
      add(mul(z.get, f32x4(-0.5)), add(mul(n.get, f32x4(-2.1219444e-4)), mul(mul(series, r.get), z.get))),
    ),
  );
  const isAtInfinity = op("f32x4.eq", x.get, f32x4(Number.POSITIVE_INFINITY));
  const atInfinity = op("v128.bitselect", x.get, y.get, isAtInfinity);
  const isZero = op("f32x4.eq", x.get, f32x4(0));
  const atZero = op("v128.bitselect", f32x4(Number.NEGATIVE_INFINITY), atInfinity, isZero);
  return [
    ...x.set(input),
    ...tiny.set(op("f32x4.lt", x.get, f32x4(1.17549435e-38))),
    ...lifted.set(op("i32x4.add", scaled, bits(offset))),
    ...n.set(sub(op("f32x4.convert_i32x4_s", exponent), op("v128.and", tiny.get, f32x4(23)))),
    ...r.set(sub(mantissa, f32x4(1))),
    ...z.set(mul(r.get, r.get)),
    ...y.set(sum),
    ...op("v128.bitselect", atZero, f32x4(Number.NaN), op("f32x4.ge", x.get, f32x4(0))),
  ];
}

function locals(made: FunctionCode, n: number): Local[] & [Local, Local, Local, Local, Local, Local, Local] {
  return Array.from({ length: n }, () => made.local("v128")) as ReturnType<typeof locals>;
}

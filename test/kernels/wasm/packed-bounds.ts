/** Calls of the kernels of weights that stay as a file has them, for bounds.test.ts. */
import { FORMS, isSpread, packedBytes, type QuantizedForm } from "../../../src/kernels/quantized/forms.ts";
import type { KernelExports } from "../../../src/kernels/wasm/load.ts";
import type { Area } from "./area.ts";

export type Call = (k: KernelExports, n: number, area: Area) => void;

/** n rows of two blocks of 32 columns that stay as a file has them, and the vector that they are multiplied with. */
const QUANTIZED = (Object.keys(FORMS) as QuantizedForm[]).flatMap((form): [string, Call][] => {
  const rowsOf = (n: number, a: Area) => a.in(packedBytes(form, [n, 64]) / 4);
  return [
    [
      `rows${form}`,
      (k, n, a) => {
        const vector = a.out(k.vectorBytes!(64) / 4);
        k.quantizeVector!(a.in(64), vector, 64, FORMS[form].unit, Number(isSpread(form)));
        k[`rows${form}`]!(rowsOf(n, a), vector, a.out(n), n, 2);
      },
    ],
    [
      `unpack${form}`,
      (k, n, a) => {
        k[`unpack${form}`]!(rowsOf(n + 1, a), 1, n, 2, a.out(64 * n));
      },
    ],
  ];
});

const HALVES = ["Float16", "Bfloat16"].flatMap((form): [string, Call][] => [
  [`spread${form}`, (k, n, a) => void k[`spread${form}`]!(a.in(8 * n), a.out(8 * n), 8 * n)],
  [
    `rows${form}`,
    (k, n, a) => {
      const x = a.out(16);
      k[`spread${form}`]!(a.in(16), x, 16);
      k[`rows${form}`]!(a.in(8 * n), x, a.out(n), n, 16);
    },
  ],
]);

export const PACKED: [string, Call][] = [
  ...QUANTIZED,
  ...HALVES,
  [
    "quantizeVector",
    (k, n, a) => {
      for (const spread of [0, 1]) {
        const vector = a.out(k.vectorBytes!(32 * n) / 4);
        k.quantizeVector!(a.in(32 * n), vector, 32 * n, 1, spread);
      }
    },
  ],
];

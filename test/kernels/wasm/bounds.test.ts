/** No kernel writes a byte outside of its outputs, whatever the length of its tail. */
import { beforeAll, describe, expect, it } from "vitest";
import { instantiateKernels, type KernelExports } from "../../../src/kernels/wasm/load.ts";
import { allowRelaxedSimd } from "../../../src/kernels/wasm/relaxed.ts";
import { Area } from "./area.ts";
import { type Call, PACKED } from "./packed-bounds.ts";

/** What says how much room others need. */
const SIZES = ["gemmScratchBytes", "vectorBytes"];

/** Rows and batches. */
const R = 3;

const BINARY = ["add", "sub", "multiply", "divide", "maximum", "minimum", "squaredDifference"].map(
  (name): [string, Call] => [
    name,
    (k, n, a) => {
      const [x, y, row] = [a.in(R * n), a.in(R * n), a.in(n)];
      k[name]!(x, y, a.out(R * n), R, n, n, 1, n, 1);
      k[name]!(x, row, a.out(R * n), R, n, n, 1, 0, 1);
      k[name]!(x, row, a.out(R * n), R, n, n, 1, 1, 0);
      k[name]!(row, y, a.out(R * n), R, n, 1, 0, n, 1);
    },
  ],
);

const UNARY = ["exp", "tanh", "erf"].map((name): [string, Call] => [
  name,
  (k, n, a) => void k[name]!(a.in(n), a.out(n), n),
]);

/** A convolution of [2, n, 3, n] by a 3 × 2 filter, padded by one row. */
const conv = (n: number) => ({ image: 2 * n * 3 * n, taps: 3 * 2 * n, out: 2 * n * 2 });
const convArguments = (n: number) => [n, 2, 3, 2, 1, 1, 1, 1, 1, 0];

/** A cache of one chunk of 32 tokens, for 2 heads that share keys and values of width n. */
function cacheOf(n: number, area: Area, place: "in" | "out") {
  const wide = 4 * Math.ceil(n / 4);
  const chunk = area[place](16 + 32 * (n + wide));
  const cache = area.in(8);
  for (const [at, field] of [chunk, 32, 2, 1, n, n].entries()) area.bytes.writeInt32LE(field, cache + 4 * at);
  return { cache, chunk, scratch: 32 + 9 + 16 * (n + wide + 2) };
}

const KERNELS: [string, Call][] = [
  ...BINARY,
  ...PACKED,
  [
    "cacheAppend",
    (k, n, a) => {
      const { cache, chunk } = cacheOf(n, a, "out");
      k.cacheAppend!(cache, chunk, 0, 29, 3, a.in(3 * n), 12 * n, a.in(3 * n), 12 * n);
    },
  ],
  [
    "cacheAttend",
    (k, n, a) => {
      const { cache, scratch } = cacheOf(n, a, "in");
      k.cacheAttend!(cache, 0, 19, 3, a.in(6 * n), a.out(6 * n), a.out(6), a.out(scratch));
    },
  ],
  ...UNARY,
  [
    "biasActivation",
    (k, n, a) => void [0, 1, 2, 3, 4, 5].map((f) => k.biasActivation!(a.out(R * n), R, n, a.in(n), f, 0.1)),
  ],
  [
    "adam",
    (k, n, a) => {
      const [p, g, m, v] = [a.in(n), a.in(n), a.in(n), a.in(n)];
      k.adam!(p, g, m, v, a.out(n), a.out(n), a.out(n), n, 1, 0, 0.9, 0.1, 0.999, 0.001, 0.1, 1, 1e-8);
    },
  ],
  ["sumOfSquares", (k, n, a) => void k.sumOfSquares!(a.in(n), n)],
  ["floatToBool", (k, n, a) => void k.floatToBool!(a.in(n), a.out(n, 1), n)],
  ["intToBool", (k, n, a) => void k.intToBool!(a.in(n), a.out(n, 1), n)],
  [
    "im2col",
    (k, n, a) =>
      void k.im2col!(a.in(conv(n).image), a.out(conv(n).out * conv(n).taps), 2, n, 3, n, ...convArguments(n)),
  ],
  [
    "col2im",
    (k, n, a) =>
      void k.col2im!(a.in(conv(n).out * conv(n).taps), a.out(conv(n).image), 2, n, 3, n, ...convArguments(n)),
  ],
  [
    "depthwiseFilterGradient",
    (k, n, a) => {
      for (const m of [1, 3]) {
        const [x, dy] = [a.in(conv(n).image), a.in(conv(n).out * n * m)];
        k.depthwiseFilterGradient!(x, dy, a.out(conv(n).taps * m), 2, n, 3, n, m, ...convArguments(n));
      }
    },
  ],
  [
    "depthwiseInputGradient",
    (k, n, a) => {
      for (const m of [1, 3]) {
        const [dy, filter] = [a.in(conv(n).out * n * m), a.in(conv(n).taps * m)];
        k.depthwiseInputGradient!(dy, filter, a.out(conv(n).image), 2, n, 3, n, m, ...convArguments(n));
      }
    },
  ],
  [
    "affineGrid",
    (k, n, a) =>
      void [0, 1].map((corners) => k.affineGrid!(a.in(R * 6), a.out(R * n * 10), R, n, 5, corners)),
  ],
  [
    "affineGridGrad",
    (k, n, a) =>
      void [0, 1].map((corners) => k.affineGridGrad!(a.in(R * n * 10), a.out(R * 6), R, n, 5, corners)),
  ],
  [
    "crop",
    (k, n, a) =>
      eachPlace(a, (y, x) => k.crop!(a.in(2 * n * 5 * n), y, x, a.out(2 * 4 * 3 * n), 2, n, 5, n, 4, 3)),
  ],
  [
    "cropGrad",
    (k, n, a) =>
      eachPlace(a, (y, x) => k.cropGrad!(a.in(2 * 4 * 3 * n), y, x, a.out(2 * n * 5 * n), 2, n, 5, n, 4, 3)),
  ],
  [
    "gridSample",
    (k, n, a) =>
      eachSampling(a, (grid, N, options) => {
        k.gridSample!(a.in(2 * n * 5 * n), grid, a.out(2 * N * n), 2, N, n, 5, n, ...options);
      }),
  ],
  [
    "gridSampleGradImage",
    (k, n, a) =>
      eachSampling(a, (grid, N, options) => {
        k.gridSampleGradImage!(grid, a.in(2 * N * n), a.out(2 * n * 5 * n), 2, N, n, 5, n, ...options);
      }),
  ],
  [
    "gridSampleGradGrid",
    (k, n, a) =>
      eachSampling(a, (grid, N, [, ...options]) => {
        const [image, dy] = [a.in(2 * n * 5 * n), a.in(2 * N * n)];
        k.gridSampleGradGrid!(image, grid, dy, a.out(2 * N * 2), 2, N, n, 5, n, ...options);
      }),
  ],
  ["copyBytes", (k, n, a) => void k.copyBytes!(a.in(n, 1), a.out(n, 1), n)],
  ["copyRows", (k, n, a) => void k.copyRows!(a.in(R * n, 1), a.out(R * n, 1), R, n, n, n)],
  ["gumbel", (k, n, a) => void k.gumbel!(a.in(n), a.out(n), n, 1, 2, 3, 4)],
  [
    "dropout",
    (k, n, a) => void k.dropout!(a.in(n), a.out(n), a.out(Math.ceil(n / 32)), n, 2 ** 23, 2, 1, 2, 3, 4),
  ],
  ["dropoutGrad", (k, n, a) => void k.dropoutGrad!(a.in(n), a.in(Math.ceil(n / 32)), a.out(n), n, 2)],
  [
    "gather",
    (k, n, a) => void k.gather!(a.in(R * 5 * n, 1), a.in(R * 2), a.out(R * 2 * n, 1), R, 1, 5, 2, n),
  ],
  [
    "unsortedSegmentSum",
    (k, n, a) => void k.unsortedSegmentSum!(a.in(R * n), a.in(R), a.out(2 * n), R, n, 2),
  ],
  [
    "unsortedSegmentSumInt",
    (k, n, a) => void k.unsortedSegmentSumInt!(a.in(R * n), a.in(R), a.out(2 * n), R, n, 2),
  ],
  [
    "gemm",
    (k, n, a) => {
      const scratch = a.out(k.gemmScratchBytes!(n), 1);
      for (const [m, d] of [
        [n, R],
        [R, n],
        [n, n],
      ] as const) {
        const [x, y] = [a.in(m * d), a.in(d * n)];
        k.gemm!(x, d, 1, y, n, 1, a.out(m * n), m, n, d, scratch, 0);
        k.gemm!(x, 1, m, y, 1, d, a.out(m * n), m, n, d, scratch, 1);
      }
    },
  ],
  [
    "gemmPart",
    (k, n, a) => {
      const scratch = a.out(k.gemmScratchBytes!(n), 1);
      // Rows further apart than they are long: what lies between belongs to other threads.
      const [x, y] = [a.in(R * n), a.in(n * n)];
      for (let r = 0; r < R; r++)
        k.gemmPart!(x + 4 * r * n, n, 1, y, n, 1, a.out(n), n + R, 1, n, n, scratch);
    },
  ],
  ["gelu", (k, n, a) => void k.gelu!(a.in(n), a.out(n), n)],
  ["geluGrad", (k, n, a) => void k.geluGrad!(a.in(n), a.in(n), a.out(n), n)],
  ["geluTanh", (k, n, a) => void k.geluTanh!(a.in(n), a.out(n), n)],
  ["geluTanhGrad", (k, n, a) => void k.geluTanhGrad!(a.in(n), a.in(n), a.out(n), n)],
  ["gemmInt", (k, n, a) => void k.gemmInt!(a.in(n * R), R, 1, a.in(R * n), n, 1, a.out(n * n), n, n, R)],
  [
    "softmaxCrossEntropy",
    (k, n, a) => void k.softmaxCrossEntropy!(a.in(R * n), a.in(R), a.out(R), a.out(2 * R), R, n, 0.1),
  ],
  [
    "softmaxCrossEntropyGrad",
    (k, n, a) =>
      void k.softmaxCrossEntropyGrad!(a.in(R * n), a.in(R), a.in(2 * R), a.in(R), a.out(R * n), R, n, 0.1),
  ],
  [
    "topLogits",
    (k, n, a) => {
      const count = Math.min(n, 7);
      k.topLogits!(a.in(R * n), a.out(R * count), a.out(R * count), a.out(R), R, n, count);
    },
  ],
  [
    "gruCell",
    (k, n, a) =>
      eachMask(a, (mask) => k.gruCell!(a.in(9 * n), a.in(9 * n), a.in(R * n), mask, a.out(R * n), R, n)),
  ],
  [
    "gruCellGrad",
    (k, n, a) =>
      eachMask(a, (mask) => {
        const [x, u, h, dout] = [a.in(9 * n), a.in(9 * n), a.in(R * n), a.in(R * n)];
        k.gruCellGrad!(x, u, h, mask, dout, a.out(9 * n), a.out(9 * n), a.out(R * n), R, n);
      }),
  ],
  [
    "lstmCell",
    (k, n, a) =>
      eachMask(a, (mask) => {
        const [gates, c, h] = [a.in(12 * n), a.in(R * n), a.in(R * n)];
        k.lstmCell!(gates, c, h, mask, a.out(R * n), a.out(R * n), R, n);
      }),
  ],
  [
    "lstmCellGrad",
    (k, n, a) =>
      eachMask(a, (mask) => {
        const [gates, c, dh, dc] = [a.in(12 * n), a.in(R * n), a.in(R * n), a.in(R * n)];
        k.lstmCellGrad!(gates, c, mask, dh, dc, a.out(12 * n), a.out(R * n), a.out(R * n), R, n);
      }),
  ],
  [
    "layerNorm",
    (k, n, a) => void k.layerNorm!(a.in(R * n), a.in(n), a.in(n), a.out(R * n), a.out(4 * R), R, n, 1e-5),
  ],
  [
    "layerNormGrad",
    (k, n, a) => {
      const [x, gamma, stats, dy] = [a.in(R * n), a.in(n), a.in(4 * R), a.in(R * n)];
      k.layerNormGrad!(x, gamma, stats, dy, a.out(R * n), a.out(n), a.out(n), R, n);
    },
  ],
  ["rmsNorm", (k, n, a) => void k.rmsNorm!(a.in(R * n), a.in(n), a.out(R * n), a.out(2 * R), R, n, 1e-5)],
  [
    "rmsNormGrad",
    (k, n, a) => {
      const [x, gamma, stats, dy] = [a.in(R * n), a.in(n), a.in(2 * R), a.in(R * n)];
      k.rmsNormGrad!(x, gamma, stats, dy, a.out(R * n), a.out(n), R, n);
    },
  ],
  [
    "rotatePairs",
    (k, n, a) => {
      for (const interleaved of [0, 1]) {
        for (const rest of [0, 3]) {
          const D = 2 * n + rest;
          const [x, cos, sin] = [a.in(2 * R * 2 * D), a.in(R * n), a.in(R * n)];
          k.rotatePairs!(x, cos, sin, a.out(2 * R * 2 * D), 2, R, 2, D, n, interleaved, 1);
        }
      }
    },
  ],
  ["silu", (k, n, a) => void k.silu!(a.in(n), a.out(n), n)],
  ["siluGrad", (k, n, a) => void k.siluGrad!(a.in(n), a.in(n), a.out(n), n)],
  ["gatedSilu", (k, n, a) => void k.gatedSilu!(a.in(n), a.in(n), a.out(n), n)],
  ["gatedSiluGrad", (k, n, a) => void k.gatedSiluGrad!(a.in(n), a.in(n), a.in(n), a.out(n), a.out(n), n)],
  ...["Float16", "Bfloat16"].flatMap((type): [string, Call][] => [
    [`pack${type}`, (k, n, a) => void k[`pack${type}`]!(a.in(n), a.out(2 * Math.ceil(n / 2), 2), n)],
    [`unpack${type}`, (k, n, a) => void k[`unpack${type}`]!(a.in(2 * Math.ceil(n / 2), 2), a.out(n), n)],
    [`round${type}`, (k, n, a) => void k[`round${type}`]!(a.in(n), a.out(n), n)],
  ]),
  ["select32", (k, n, a) => void k.select32!(a.in(n, 1), a.in(n), a.in(n), a.out(n), n)],
  ["select8", (k, n, a) => void k.select8!(a.in(n, 1), a.in(n, 1), a.in(n, 1), a.out(n, 1), n)],
  [
    "sumAxis",
    (k, n, a) => {
      k.sumAxis!(a.in(R * n), a.out(R), R, n, 1, 0.5);
      k.sumAxis!(a.in(2 * R * n), a.out(2 * n), 2, R, n, 0.5);
    },
  ],
  ["transpose4x4", (k, _, a) => void k.transpose4x4!(a.in(16), 16, a.out(16), 16)],
  ["transpose", (k, n, a) => void k.transpose!(a.in(R * n), a.out(R * n), R, n, 4 * n, 4 * R)],
];

/** Once with every step taken, once with every state kept. */
function eachMask(area: Area, call: (mask: number) => void): void {
  const [kept, taken] = [area.in(R), area.in(R)];
  for (let i = 0; i < R; i++) area.bytes.writeFloatLE(1, taken + 4 * i);
  call(kept);
  call(taken);
}

/** Two crops' places, on the images, across their edges and far away. */
function eachPlace(area: Area, call: (y: number, x: number) => void): void {
  for (const [first, second] of [
    [0, 1],
    [-1, -3],
    [-4, 5],
    [2 ** 31 - 1, -(2 ** 31)],
  ] as const) {
    const [y, x] = [area.in(2), area.in(2)];
    for (const [at, value] of [
      [y, first],
      [x, second],
    ] as const) {
      area.bytes.writeInt32LE(value, at);
      area.bytes.writeInt32LE(second, at + 4);
    }
    call(y, x);
  }
}

/** Points at the edges, across them, far away and nowhere, by every way of sampling. */
const POINTS = [0, 1, -1, 1.01, -1.2, 1.5, -3, 1e9, -3e38, Infinity, -Infinity, Number.NaN, 0.3];

function eachSampling(area: Area, call: (grid: number, N: number, options: number[]) => void): void {
  const N = POINTS.length;
  for (const nearest of [0, 1]) {
    for (const padding of [0, 1, 2]) {
      for (const corners of [0, 1]) {
        const grid = area.in(2 * N * 2);
        for (let e = 0; e < 4 * N; e++) area.bytes.writeFloatLE(POINTS[(e * 5) % N]!, grid + 4 * e);
        call(grid, N, [nearest, padding, corners]);
      }
    }
  }
}

describe.each(["relaxed", "plain"] as const)("Kernels of the %s build", (build) => {
  beforeAll(allowRelaxedSimd);

  it("are all in the table below", () => {
    const exported = Object.entries(instantiateKernels(new Area().memory, build)).flatMap(([name, value]) =>
      // Those of attention take a problem: attention/bounds.test.ts and additive-bounds.test.ts have them.
      typeof value === "function" && !SIZES.includes(name) && !/^(attention|additive)/.test(name)
        ? [name]
        : [],
    );
    expect(exported.sort()).toEqual(KERNELS.map(([name]) => name).sort());
  });

  it.each(KERNELS)("%s writes nothing but its outputs", (_, call) => {
    for (const n of [1, 2, 3, 5, 7, 15, 17]) {
      const area = new Area();
      const kernels = instantiateKernels(area.memory, build);
      const before = new Area();
      call(kernels, n, area);
      // The same placement without the kernel: what every byte outside of the outputs must still be.
      call(inert(kernels), n, before);
      expect(area.outs).toEqual(before.outs);
      let at = 0;
      for (const [from, to] of [...area.outs, [area.bytes.length, area.bytes.length]] as const) {
        const same = Buffer.compare(area.bytes.subarray(at, from), before.bytes.subarray(at, from)) === 0;
        expect(same, `bytes ${at} to ${from} with n = ${n}`).toBe(true);
        at = to;
      }
    }
  });
});

/** Kernels that do nothing, but for the sizes that they tell. */
function inert(kernels: KernelExports): KernelExports {
  return new Proxy({} as KernelExports, {
    get: (_, name: string) => (SIZES.includes(name) ? kernels[name] : () => 0),
  });
}

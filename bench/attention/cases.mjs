/**
 * What is measured: full, causal, window and grouped-query attention over T tokens, and decoding, one new token that
 * looks at a cache: handed over with each call, or resident, as the peer's API allows. float32, B = 1, 8 heads of 64. Besides, what axial attention, criss-cross attention and small
 * windows are made of: 512 heads of 16 over lines of 16 to 48 positions.
 */
import { normals } from "../random.mjs";

/** @typedef {"full" | "causal" | "window 256" | "GQA 8/2" | "decode" | "resident decode" | "many heads"} Kind */
/** @typedef {{ q: Float32Array, k: Float32Array, v: Float32Array }} Inputs */
/**
 * @typedef {{ name: string, kind: Kind, pass: "forward" | "backward", T: number, S: number, H: number, Hkv: number,
 *   D: number, causal: boolean, window: number | undefined, visible(i: number, j: number): boolean }} Case
 */

/** Keys that a query of the window cases sees, its own included. */
const WINDOW = 256;
const [H, D] = [8, 64];
const CACHE = 4096;
const MANY = { H: 512, D: 16 };

/** @returns {Case} */
function makeCase(
  /** @type {Kind} */ kind,
  /** @type {number} */ T,
  /** @type {"forward" | "backward"} */ pass = "forward",
) {
  const window = kind === "window 256" ? WINDOW : undefined;
  const causal = kind === "causal";
  const S = kind === "decode" || kind === "resident decode" ? CACHE : T;
  const name = `${pass === "backward" ? "backward " : ""}${kind}, T = ${T}${S === T ? "" : `, S = ${S}`}`;
  const visible = (/** @type {number} */ i, /** @type {number} */ j) =>
    window ? j <= i && j > i - window : !causal || j <= i;
  const heads = kind === "many heads" ? MANY : { H, D };
  const Hkv = kind === "GQA 8/2" ? 2 : heads.H;
  return { name, kind, pass, T, S, ...heads, Hkv, causal, window, visible };
}

const LENGTHS = [64, 512, 2048, 4096];
const LINES = [16, 32, 48];

/** @type {Case[]} */
export const CASES = [
  ...LENGTHS.flatMap((T) =>
    /** @type {Kind[]} */ (["full", "causal", "window 256", "GQA 8/2"]).map((kind) => makeCase(kind, T)),
  ),
  makeCase("decode", 1),
  makeCase("resident decode", 1),
  ...LINES.map((T) => makeCase("many heads", T)),
  makeCase("full", 64, "backward"),
  makeCase("full", 512, "backward"),
  makeCase("full", 2048, "backward"),
  makeCase("causal", 2048, "backward"),
];

/** A few of each sort, for a run that only shows that everything works. */
export const QUICK_CASES = [
  ...["full", "causal", "window 256", "GQA 8/2"].map((kind) => makeCase(/** @type {Kind} */ (kind), 64)),
  makeCase("decode", 1),
  makeCase("resident decode", 1),
  makeCase("many heads", 16),
  makeCase("full", 64, "backward"),
];

export const scale = (/** @type {Case} */ { D }) => 1 / Math.sqrt(D);

/** 4·T·S·D forward and 10·T·S·D backward for each head, counted for all of T × S whatever a mask leaves out. */
export const flops = (/** @type {Case} */ { pass, H, T, S, D }) =>
  (pass === "backward" ? 10 : 4) * H * T * S * D;

/** The same inputs in every process. @returns {Inputs} */
export function inputsOf(/** @type {Case} */ { H, Hkv, T, S, D }) {
  return {
    q: normals(H * T * D, 1),
    k: normals(Hkv * S * D, 2),
    v: normals(Hkv * S * D, 3),
  };
}

/** [H, T, D] → [T, H, D]. */
export function toTokens(
  /** @type {Float32Array} */ x,
  /** @type {number} */ H,
  /** @type {number} */ T,
  /** @type {number} */ D,
) {
  const out = new Float32Array(x.length);
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const from = (h * T + t) * D;
      out.set(x.subarray(from, from + D), (t * H + h) * D);
    }
  return out;
}

/** [T, H, D] → [H, T, D]. */
export const toHeads = (
  /** @type {Float32Array} */ x,
  /** @type {number} */ H,
  /** @type {number} */ T,
  /** @type {number} */ D,
) => toTokens(x, T, H, D);

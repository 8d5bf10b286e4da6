import { compileProgram, type HostProgram } from "../../../core/program.ts";
import type { AttentionEngine } from "./engine.ts";

const SHAPES = { B: 1, H: 1, Hkv: 1, T: 192, S: 192, D: 64, Dv: 64 };
const ROUNDS = 16;

/**
 * Runs every kernel until the engine takes it for hot. WebAssembly has no on-stack replacement: without this, the
 * first long call would run from beginning to end in code that was never optimised.
 * Probes are left out: they would add 50 ms to every start, and their first call takes 30 ms more without.
 */
export function warm(engine: AttentionEngine): void {
  const x = new Float32Array(SHAPES.T * SHAPES.D).fill(0.5);
  const inputs = { q: x, k: x, v: x };
  const bias = { shape: [1, SHAPES.S], dtype: "float32", values: new Float32Array(SHAPES.S) };
  const programs: HostProgram[] = [
    compileProgram("init", SHAPES),
    compileProgram("init", SHAPES, { causal: true, bias }),
    // So few queries have products of their own.
    compileProgram("init", { ...SHAPES, T: 1 }),
  ];
  for (let round = 0; round < ROUNDS; round++) {
    for (const program of programs) {
      const result = engine.forward(program, inputs);
      engine.weights(program, inputs, result);
      engine.backward(program, inputs, result, x);
    }
  }
}

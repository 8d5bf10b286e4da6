// One step of a GRU or an LSTM after its matrix products: every gate of a row in one pass, and the same pass
// backwards. The backward kernels compute the gates again rather than keep them from the forward pass.
// A row whose mask is 0 keeps its state: it is copied, never multiplied, so NaN in the padding stays there. The
// gradient of a state may be written over the one that came in (dh over dout, dc over dcOut, dh over dhOut).
import { load, store } from "./lanes";
import { vsigmoid, vtanh } from "./math";
import { at, fma } from "./simd";

// @ts-ignore: decorator
@inline function isKept(mask: usize, b: i32): bool {
  return f32.load(at(mask, b)) == 0;
}

// @ts-ignore: decorator
@inline function gruLanes(x: usize, u: usize, h: usize, out: usize, H: i32, j: i32, lanes: i32): void {
  const r = vsigmoid(f32x4.add(load(at(x, j), lanes), load(at(u, j), lanes)));
  const z = vsigmoid(f32x4.add(load(at(x, H + j), lanes), load(at(u, H + j), lanes)));
  const n = vtanh(fma(r, load(at(u, 2 * H + j), lanes), load(at(x, 2 * H + j), lanes)));
  store(at(out, j), fma(z, f32x4.sub(load(at(h, j), lanes), n), n), lanes);
}

/** h' = (1 − z)·n + z·h from the gates of the input x [B, 3H] and of the state u [B, 3H], in the order r, z, n. */
export function gruCell(x: usize, u: usize, h: usize, mask: usize, out: usize, B: i32, H: i32): void {
  for (let b = 0; b < B; b++) {
    const x_b = at(x, b * 3 * H), u_b = at(u, b * 3 * H), h_b = at(h, b * H), out_b = at(out, b * H);
    if (isKept(mask, b)) { memory.copy(out_b, h_b, <usize>H << 2); continue; }
    let j = 0;
    for (; j + 4 <= H; j += 4) gruLanes(x_b, u_b, h_b, out_b, H, j, 4);
    if (j < H) gruLanes(x_b, u_b, h_b, out_b, H, j, H - j);
  }
}

// @ts-ignore: decorator
@inline function gruGradLanes(
  x: usize, u: usize, h: usize, dout: usize, dx: usize, du: usize, dh: usize, H: i32, j: i32, lanes: i32,
): void {
  const one = f32x4.splat(1), u_n = load(at(u, 2 * H + j), lanes), d = load(at(dout, j), lanes);
  const r = vsigmoid(f32x4.add(load(at(x, j), lanes), load(at(u, j), lanes)));
  const z = vsigmoid(f32x4.add(load(at(x, H + j), lanes), load(at(u, H + j), lanes)));
  const n = vtanh(fma(r, u_n, load(at(x, 2 * H + j), lanes)));
  const keep = f32x4.sub(one, z);
  // Through h' = (1 − z)·n + z·h, then through tanh and σ to what stood inside them.
  const d_n = f32x4.mul(f32x4.mul(d, keep), f32x4.sub(one, f32x4.mul(n, n)));
  const d_z = f32x4.mul(f32x4.mul(d, f32x4.sub(load(at(h, j), lanes), n)), f32x4.mul(z, keep));
  const d_r = f32x4.mul(f32x4.mul(d_n, u_n), f32x4.mul(r, f32x4.sub(one, r)));
  store(at(dx, j), d_r, lanes);
  store(at(dx, H + j), d_z, lanes);
  store(at(dx, 2 * H + j), d_n, lanes);
  store(at(du, j), d_r, lanes);
  store(at(du, H + j), d_z, lanes);
  store(at(du, 2 * H + j), f32x4.mul(d_n, r), lanes);
  store(at(dh, j), f32x4.mul(d, z), lanes);
}

/** Gradients of gruCell: dx, du [B, 3H] and dh [B, H] from dout [B, H]. */
export function gruCellGrad(
  x: usize, u: usize, h: usize, mask: usize, dout: usize, dx: usize, du: usize, dh: usize, B: i32, H: i32,
): void {
  for (let b = 0; b < B; b++) {
    const x_b = at(x, b * 3 * H), u_b = at(u, b * 3 * H), h_b = at(h, b * H), dout_b = at(dout, b * H);
    const dx_b = at(dx, b * 3 * H), du_b = at(du, b * 3 * H), dh_b = at(dh, b * H);
    if (isKept(mask, b)) {
      memory.fill(dx_b, 0, <usize>(3 * H) << 2);
      memory.fill(du_b, 0, <usize>(3 * H) << 2);
      memory.copy(dh_b, dout_b, <usize>H << 2);
      continue;
    }
    let j = 0;
    for (; j + 4 <= H; j += 4) gruGradLanes(x_b, u_b, h_b, dout_b, dx_b, du_b, dh_b, H, j, 4);
    if (j < H) gruGradLanes(x_b, u_b, h_b, dout_b, dx_b, du_b, dh_b, H, j, H - j);
  }
}

// @ts-ignore: decorator
@inline function lstmLanes(a: usize, c: usize, hOut: usize, cOut: usize, H: i32, j: i32, lanes: i32): void {
  const i = vsigmoid(load(at(a, j), lanes)), f = vsigmoid(load(at(a, H + j), lanes));
  const g = vtanh(load(at(a, 2 * H + j), lanes)), o = vsigmoid(load(at(a, 3 * H + j), lanes));
  const next = fma(f, load(at(c, j), lanes), f32x4.mul(i, g));
  store(at(cOut, j), next, lanes);
  store(at(hOut, j), f32x4.mul(o, vtanh(next)), lanes);
}

/** c' = f·c + i·g and h' = o·tanh c' from the gates a [B, 4H], in the order i, f, g, o. */
export function lstmCell(
  a: usize, c: usize, h: usize, mask: usize, hOut: usize, cOut: usize, B: i32, H: i32,
): void {
  for (let b = 0; b < B; b++) {
    const a_b = at(a, b * 4 * H), c_b = at(c, b * H), hOut_b = at(hOut, b * H), cOut_b = at(cOut, b * H);
    if (isKept(mask, b)) {
      memory.copy(hOut_b, at(h, b * H), <usize>H << 2);
      memory.copy(cOut_b, c_b, <usize>H << 2);
      continue;
    }
    let j = 0;
    for (; j + 4 <= H; j += 4) lstmLanes(a_b, c_b, hOut_b, cOut_b, H, j, 4);
    if (j < H) lstmLanes(a_b, c_b, hOut_b, cOut_b, H, j, H - j);
  }
}

// @ts-ignore: decorator
@inline function lstmGradLanes(
  a: usize, c: usize, dhOut: usize, dcOut: usize, da: usize, dc: usize, H: i32, j: i32, lanes: i32,
): void {
  const one = f32x4.splat(1), c_j = load(at(c, j), lanes), dh = load(at(dhOut, j), lanes);
  const i = vsigmoid(load(at(a, j), lanes)), f = vsigmoid(load(at(a, H + j), lanes));
  const g = vtanh(load(at(a, 2 * H + j), lanes)), o = vsigmoid(load(at(a, 3 * H + j), lanes));
  const t = vtanh(fma(f, c_j, f32x4.mul(i, g)));
  // dc' comes from the next step and, through h' = o·tanh c', from this one.
  const d = fma(f32x4.mul(dh, o), f32x4.sub(one, f32x4.mul(t, t)), load(at(dcOut, j), lanes));
  store(at(da, j), f32x4.mul(f32x4.mul(d, g), f32x4.mul(i, f32x4.sub(one, i))), lanes);
  store(at(da, H + j), f32x4.mul(f32x4.mul(d, c_j), f32x4.mul(f, f32x4.sub(one, f))), lanes);
  store(at(da, 2 * H + j), f32x4.mul(f32x4.mul(d, i), f32x4.sub(one, f32x4.mul(g, g))), lanes);
  store(at(da, 3 * H + j), f32x4.mul(f32x4.mul(dh, t), f32x4.mul(o, f32x4.sub(one, o))), lanes);
  store(at(dc, j), f32x4.mul(d, f), lanes);
}

/** Gradients of lstmCell: da [B, 4H], dc and dh [B, H]; dh is 0 wherever the step was taken. */
export function lstmCellGrad(
  a: usize, c: usize, mask: usize, dhOut: usize, dcOut: usize, da: usize, dc: usize, dh: usize, B: i32, H: i32,
): void {
  const rowBytes = <usize>H << 2;
  for (let b = 0; b < B; b++) {
    const a_b = at(a, b * 4 * H), c_b = at(c, b * H), dhOut_b = at(dhOut, b * H), dcOut_b = at(dcOut, b * H);
    const da_b = at(da, b * 4 * H), dc_b = at(dc, b * H), dh_b = at(dh, b * H);
    if (isKept(mask, b)) {
      memory.fill(da_b, 0, rowBytes << 2);
      memory.copy(dc_b, dcOut_b, rowBytes);
      memory.copy(dh_b, dhOut_b, rowBytes);
      continue;
    }
    let j = 0;
    for (; j + 4 <= H; j += 4) lstmGradLanes(a_b, c_b, dhOut_b, dcOut_b, da_b, dc_b, H, j, 4);
    if (j < H) lstmGradLanes(a_b, c_b, dhOut_b, dcOut_b, da_b, dc_b, H, j, H - j);
    memory.fill(dh_b, 0, rowBytes);
  }
}

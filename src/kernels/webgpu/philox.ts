/** Philox4x32-10 in WGSL: the numbers of `src/core/random.ts`, bit for bit. WGSL has no wide product, so halves meet. */
export const PHILOX = /* wgsl */ `
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu; let aHigh = a >> 16u;
  let bLow = b & 0xffffu; let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let carry = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (carry >> 16u);
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0; round < 10; round++) {
    let high0 = multiplyHigh(0xd2511f53u, c.x); let low0 = 0xd2511f53u * c.x;
    let high1 = multiplyHigh(0xcd9e8d57u, c.z); let low1 = 0xcd9e8d57u * c.z;
    c = vec4u(high1 ^ c.y ^ k.x, low1, high0 ^ c.w ^ k.y, low0);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
`;

/**
 * `dropped`: bit 4c + r is set where the weight of query i0 + 4·ty + r and key j0 + 4·tx + c is dropped: the bits of
 * `dropoutRow`, four keys from each call of philox.
 */
export const DROPPED = /* wgsl */ `
fn dropped(b: i32, h: i32, i0: i32, j0: i32) -> u32 {
  var bits = 0u;
  for (var r = 0u; r < 4u; r++) {
    let counter = vec4u(u32(j0 / 4 + tx), u32(i0 + 4 * ty) + r, u32(h), u32(b));
    let numbers = philox(counter, vec2u(u.seedLow, u.seedHigh));
    let low = vec4u(numbers < vec4u(u.threshold));
    bits |= (low.x | (low.y << 4u) | (low.z << 8u) | (low.w << 12u)) << r;
  }
  return bits;
}
`;

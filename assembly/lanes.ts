// The last one to three floats of a row. A kernel body takes `lanes`: 4 inside the row, fewer at its end; inlined
// with the constant 4 these are plain vector loads and stores, and at the end nothing outside the row is touched.

// @ts-ignore: decorator
@inline export function load(address: usize, lanes: i32): v128 {
  return lanes == 4 ? v128.load(address) : loadSome(address, lanes);
}

// @ts-ignore: decorator
@inline export function store(address: usize, value: v128, lanes: i32): void {
  if (lanes == 4) v128.store(address, value);
  else storeSome(address, value, lanes);
}

function loadSome(address: usize, lanes: i32): v128 {
  let value = v128.load32_zero(address);
  if (lanes > 1) value = f32x4.replace_lane(value, 1, f32.load(address, 4));
  if (lanes > 2) value = f32x4.replace_lane(value, 2, f32.load(address, 8));
  return value;
}

function storeSome(address: usize, value: v128, lanes: i32): void {
  f32.store(address, f32x4.extract_lane(value, 0));
  if (lanes > 1) f32.store(address, f32x4.extract_lane(value, 1), 4);
  if (lanes > 2) f32.store(address, f32x4.extract_lane(value, 2), 8);
}

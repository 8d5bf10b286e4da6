/** The unit in which the squares of any floats, a billion of them, have a sum: 2⁻⁸⁰. */
// @ts-ignore: decorator
@inline export const UNIT: f32 = 1 / (1024.0 * 1024 * 1024 * 1024 * 1024 * 1024 * 1024 * 1024);

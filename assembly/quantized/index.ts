// Products of weights that stay as a file has them, quantised or in 16 bits.
export * from "./halves";
export * from "./rows";
export * from "./unpack";
export { quantizeVector, vectorBytes } from "./vector";

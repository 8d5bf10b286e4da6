/**
 * The most bytes that one kernel took besides its inputs and outputs, since somebody set this to 0: scratch on TensorFlow.js'
 * heap, or what a call laid out in a memory of ours. Kernels follow one another, so a peak has one of them.
 */
export const highWater = { bytes: 0 };

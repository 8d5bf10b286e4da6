export { additiveBackward } from "./backward";
export { additiveForward } from "./forward";
export { additiveProblemBytes, additiveScratchBytes } from "./problem";

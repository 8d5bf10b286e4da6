export type { ShowAttendAndTellConfig } from "./config.ts";
export { doublyStochasticPenalty, unevenness } from "./doubly-stochastic.ts";
export { showAttendAndTellParameters } from "./parameters.ts";
export { captionSearch } from "./search.ts";
export { ShowAttendAndTell, type TellerLosses, type TellerLossOptions } from "./show-attend-and-tell.ts";

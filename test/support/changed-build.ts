/** Whether tests of this worker run on a kernel build that they chose: files share the backend, and the next ones want it back. */
export const changedBuild = { is: false };

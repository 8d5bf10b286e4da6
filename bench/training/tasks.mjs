export const TASKS = [];
export const QUICK_TASKS = [];

/** Long work goes on for so many milliseconds before the page can answer its reader. */
export const TURN_MS = 24;

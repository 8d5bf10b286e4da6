export const trainMessages = {};

export const vizMessages = {};

/** What tests of mechanisms use: gradients against central differences. */
export * from "./gradcheck.ts";

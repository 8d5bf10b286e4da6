export * from "../../ops/attention/softmax.ts";

/** Recurrent layers. */
import * as tfl from "@tensorflow/tfjs-layers";
import { ResetAfterGRU } from "../../../src/layers/sequence/reset-after-gru.ts";
import { type Forms, form, ONE, WIDTH } from "../layer-harness.ts";

const all = { returnSequences: true, returnState: true };

export const RECURRENT: Forms = {
  ResetAfterGRU: [
    form(() => new ResetAfterGRU({ units: 5 }), ...ONE),
    form(() => new ResetAfterGRU({ units: WIDTH, useBias: false, ...all }), ["x", "state"], ["a"]),
  ],
  GRU: [
    form(() => tfl.layers.gru({ units: 5 }), ...ONE),
    form(() => tfl.layers.gru({ units: 5, recurrentActivation: "sigmoid", ...all }), ...ONE),
  ],
  LSTM: [
    form(() => tfl.layers.lstm({ units: 5 }), ...ONE),
    form(() => tfl.layers.lstm({ units: WIDTH, goBackwards: true, ...all }), ["x", "state", "state"], ["x"]),
  ],
  SimpleRNN: [
    form(() => tfl.layers.simpleRNN({ units: 5, ...all }), ...ONE),
    form(() => tfl.layers.simpleRNN({ units: 5, activation: "relu" }), ["x"]),
  ],
};

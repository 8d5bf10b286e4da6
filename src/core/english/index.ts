/**
 * What every error says, in English and in one folder: a message is a function of the failure's numbers, so a
 * program reads `error.code` and `error.details`, and a person reads the sentence.
 *
 * Every sentence is `op: rule with letters and numbers, got what arrived; what to do`.
 */
import { attentionMessages } from "./attention.ts";
import { commandMessages } from "./command.ts";
import { dataMessages } from "./data.ts";
import { hostMessages } from "./host.ts";
import { inspectMessages } from "./inspect.ts";
import { kernelMessages } from "./kernels.ts";
import { layerMessages } from "./layers.ts";
import { modelMessages } from "./model.ts";
import { trainMessages } from "./train.ts";
import { viewMessages } from "./views.ts";
import { vizMessages } from "./viz.ts";
import { workerMessages } from "./worker.ts";

export const english = {
  ...attentionMessages,
  ...commandMessages,
  ...dataMessages,
  ...hostMessages,
  ...inspectMessages,
  ...kernelMessages,
  ...layerMessages,
  ...modelMessages,
  ...trainMessages,
  ...viewMessages,
  ...vizMessages,
  ...workerMessages,
};

export type Messages = typeof english;

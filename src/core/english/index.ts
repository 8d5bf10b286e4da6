/** Sentences of errors that are not yet written where they are known. */
import { attentionMessages } from "./attention.ts";
import { commandMessages } from "./command.ts";
import { hostMessages } from "./host.ts";
import { kernelMessages } from "./kernels.ts";
import { viewMessages } from "./views.ts";

export const english = {
  ...attentionMessages,
  ...commandMessages,
  ...hostMessages,
  ...kernelMessages,
  ...viewMessages,
};

export type Messages = typeof english;

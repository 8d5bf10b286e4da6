import { SingleBar } from "cli-progress";
import type { DownloadProgress } from "../data/index.ts";
import type { Output } from "./io.ts";

/** Shows how far a download is: a bar on a terminal; elsewhere nothing, for a log is no place for one. */
export function downloadProgress(stderr: Output & { isTTY?: boolean }): {
  on?(progress: DownloadProgress): void;
  stop(): void;
} {
  if (!stderr.isTTY) return { stop() {} };
  const bar = new SingleBar({
    stream: stderr as NodeJS.WriteStream,
    format: "{bar} {percentage} %  {value} of {total} bytes",
    // Ctrl-C must end the process by the signal, as everywhere in heed; what came is kept for the next run.
    gracefulExit: false,
    hideCursor: false,
  });
  let started = false;
  return {
    on({ received, total }) {
      if (started) bar.update(received);
      else bar.start(total, received);
      started = true;
    },
    stop() {
      if (started) bar.stop();
    },
  };
}

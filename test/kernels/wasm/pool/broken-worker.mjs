// A worker that never gets ready.
throw new Error("no such luck");

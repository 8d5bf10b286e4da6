/** Canvases side by side on one ground, as a PNG of all their dots. */
export async function pngOf(canvases: readonly HTMLCanvasElement[], ground: string): Promise<Blob> {
  const all = new OffscreenCanvas(
    canvases.reduce((sum, { width }) => sum + width, 0),
    Math.max(...canvases.map(({ height }) => height)),
  );
  const context = all.getContext("2d")!;
  context.fillStyle = ground;
  context.fillRect(0, 0, all.width, all.height);
  let x = 0;
  for (const canvas of canvases) {
    context.drawImage(canvas, x, 0);
    x += canvas.width;
  }
  return all.convertToBlob();
}

/** Gives the reader a file, as if a link to it were followed. */
export function download(file: Blob, name: string): void {
  const href = URL.createObjectURL(file);
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

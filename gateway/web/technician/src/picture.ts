/* picture.ts - a photo made small on the phone: what it took a second to take must not take a minute
 * to send. At most 1600 points wide and 300 KB, as JPEG; what the camera wrote into it besides the
 * picture (place, owner) is gone with that. */
const sideMax = 1600;
const bytesMax = 300 * 1024;

async function encode(bitmap: ImageBitmap, side: number, quality: number): Promise<Blob> {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error("no picture")) : resolve(blob)),
      "image/jpeg", quality));
}

export async function shrink(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file);
  try {
    for (let side = sideMax, quality = 0.8; ; side *= 0.8, quality = Math.max(0.5, quality - 0.1)) {
      const small = await encode(bitmap, side, quality);
      if (small.size <= bytesMax || side < 200) return small;
    }
  } finally {
    bitmap.close();
  }
}

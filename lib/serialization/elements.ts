// The elements of a tensor as row-major bytes, in pieces.
import { readStorage } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { CHUNK } from './bytes.js';

/** Hands the elements of a tensor on in row-major order. The piece may be reused: copy to keep. */
export function forEachPiece(t: Tensor, use: (piece: Uint8Array) => void): void {
  const size = t.nbytes;
  if (!t.isContiguous()) {
    const { buffer, byteOffset, byteLength } = t.toTypedArray();
    use(new Uint8Array(buffer, byteOffset, byteLength));
    return;
  }
  const start = t.storageOffset() * t.itemsize;
  const buffer = new Uint8Array(Math.min(CHUNK, size));
  for (let at = 0; at < size; at += CHUNK) {
    const piece = buffer.subarray(0, Math.min(CHUNK, size - at));
    readStorage(t, start + at, piece);
    use(piece);
  }
}

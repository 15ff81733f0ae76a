// The elements of a tensor, or of its whole storage, as pieces of a file.
import type { Tensor } from '../tensor/tensor.js';
import type { Pieces } from './sink.js';

/** The elements of a tensor in row-major order. */
export function* elementPieces(t: Tensor): Pieces {
  if (t.isContiguous()) {
    yield { tensor: t, offset: t.storageOffset() * t.itemsize, nbytes: t.nbytes, crc: 0 };
    return;
  }
  const { buffer, byteOffset, byteLength } = t.toTypedArray();
  yield new Uint8Array(buffer, byteOffset, byteLength);
}

/** All `nbytes` bytes of the storage of a tensor. */
export function* wholePieces(t: Tensor, nbytes: number): Pieces {
  yield { tensor: t, offset: 0, nbytes, crc: 0 };
}

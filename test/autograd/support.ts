// What the tests of autograd share.
import torch, { type Tensor } from 'flambeau';

/** [0, 0.1, 0.2, ...] in the given shape. */
export function ramp(...shape: number[]): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return torch.tensor(Array.from({ length: n }, (_, i) => i / 10)).reshape(shape);
}

/** The elements in row-major order; null for no tensor. */
export function flat(t: Tensor | null | undefined): number[] | null {
  return t === null || t === undefined ? null : Array.from(t.detach().toTypedArray() as ArrayLike<number>);
}

/** Compares elements within a relative tolerance of 1e-4. */
export function expectValues(t: Tensor | null | undefined, expected: readonly number[]): void {
  const found = flat(t);
  expect(found).not.toBeNull();
  expect(found!.length).toBe(expected.length);
  expected.forEach((value, i) => {
    const off = Math.abs(found![i]! - value);
    if (!(off <= 1e-5 + 1e-4 * Math.abs(value))) expect(found).toEqual(expected);
  });
}

/** A leaf of float32 that requires a gradient. */
export function leaf(data: number[] | number[][] | number): Tensor {
  return torch.tensor(data, { requiresGrad: true });
}

/** A leaf of float64 that requires a gradient. */
export function leaf64(data: number[] | number[][]): Tensor {
  return torch.tensor(data, { dtype: torch.float64, requiresGrad: true });
}

export const MODIFIED = (origin: string, found: number, expected: number): string =>
  'one of the variables needed for gradient computation has been modified by an inplace operation: ' +
  `[torch.FloatTensor [3]]${origin} is at version ${found}; expected version ${expected} instead. Hint: enable anomaly ` +
  'detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, ' +
  'check_nan=False).';

export const FREED =
  'Trying to backward through the graph a second time (or directly access saved tensors after they have already been ' +
  'freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify ' +
  'retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors ' +
  'after calling backward.';

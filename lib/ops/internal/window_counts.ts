// How many windows lie along each dimension.

/** What tells a window's place, one number per dimension. */
export interface WindowSteps {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1 per dimension. */
export function windowCounts(size: readonly number[], kernel: readonly number[], at: WindowSteps): number[] {
  return size.map(
    (n, d) => Math.floor((n + 2 * at.padding[d]! - at.dilation[d]! * (kernel[d]! - 1) - 1) / at.stride[d]!) + 1,
  );
}

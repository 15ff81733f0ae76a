// The third kind of error beside JavaScript's TypeError and RangeError.

/** What PyTorch raises as RuntimeError: shapes that do not fit, a graph that was freed, a file that is damaged. */
export class RuntimeError extends Error {
  override name = 'RuntimeError';
}

/** A class's or a value's kind in an error message: `Tensor`, `number`, `null`, `Array`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object' && typeof value !== 'function') return typeof value;
  return (value as object).constructor?.name || typeof value;
}

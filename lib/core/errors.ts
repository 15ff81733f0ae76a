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

/** A value in an error message: what is simple as it is, anything else by its kind. Never throws, as `String` may. */
export function inWords(value: unknown): string {
  const simple = value === null || value === undefined || /^(string|number|boolean|bigint)$/.test(typeof value);
  return simple ? String(value) : kindOf(value);
}

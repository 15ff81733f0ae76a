// Settings that hold while a function runs.

/** Runs `fn` and then `restore`: when it has returned or thrown, or when the promise that it returned settles. */
export function restoring<T>(fn: () => T, restore: () => void): T {
  let result: T;
  try {
    result = fn();
  } catch (error) {
    restore();
    throw error;
  }
  if (result instanceof Promise) return result.finally(restore) as T;
  restore();
  return result;
}

// Whether initialisations draw their random values.
let skipped = false;

/** Whether random initial values are left out at the moment. */
export function drawsSkipped(): boolean {
  return skipped;
}

/** Runs `fn`; random initial values are not drawn meanwhile, so that the memory stays as it was allocated. */
export function withoutRandomValues<T>(fn: () => T): T {
  const before = skipped;
  skipped = true;
  try {
    return fn();
  } finally {
    skipped = before;
  }
}

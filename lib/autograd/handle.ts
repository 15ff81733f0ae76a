// Hooks are kept in maps by number, in the order of registration.

let nextId = 0;

/** What registering a hook returns: it removes the hook, also at the end of a `using` block. */
export class RemovableHandle implements Disposable {
  /** The hook's number, unique in the process. */
  readonly id: number;
  private hooks: Map<number, unknown> | null;

  /**
   * @param hooks where hooks of this kind are kept.
   * @param hook the hook; if left out, the caller enters it under `id` itself.
   */
  constructor(hooks: Map<number, unknown>, hook?: unknown) {
    this.id = nextId++;
    this.hooks = hooks;
    if (hook === undefined) return;
    if (typeof hook !== 'function')
      throw new TypeError(`a hook must be a function, not ${hook === null ? 'null' : typeof hook}`);
    hooks.set(this.id, hook);
  }

  /** Removes the hook. Calling it again does nothing. */
  remove(): void {
    this.hooks?.delete(this.id);
    this.hooks = null;
  }

  /** Removes the hook, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.remove();
  }
}

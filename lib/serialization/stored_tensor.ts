// Tensors that files hold and that no op computes with: sparse and quantized ones, and those of other element types.
import type { Device } from '../core/device.js';
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { elementsText, withSuffixes } from '../tensor/print.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * A tensor that can be looked at, converted and saved again, but not computed with: an op that is given one throws, naming
 * what it is. `torch.load` makes them.
 */
export abstract class StoredTensor extends Tensor {
  /** Whether it was an `nn.Parameter`; it is saved as one again. */
  isParameter = false;
  /** Whether the file says that it requires a gradient. Kept for saving only. */
  #requiresGrad = false;

  /**
   * @param what the kind of tensor, for the error of an op.
   * @param advice what to call for a tensor that ops take.
   */
  protected constructor(what: string, dtype: DType, shape: readonly number[], advice: string) {
    super(0);
    this._dtype = dtype;
    this._shape = [...shape];
    // Every op reads the handle first.
    Object.defineProperty(this, '_h', {
      get(): number {
        throw new RuntimeError(`a ${what} cannot be computed with, only saved and converted${advice}`);
      },
    });
    Object.defineProperty(this, 'requiresGrad', {
      get: () => this.#requiresGrad,
      set: (flag: boolean) => (this.#requiresGrad = flag),
    });
  }

  abstract override get device(): Device;

  override get isMeta(): boolean {
    return this.device.type === 'meta';
  }

  override numel(): number {
    return this.shape.reduce((n, size) => n * size, 1);
  }

  /** Does nothing: the memory goes with the last value that refers to it. */
  override dispose(): void {}

  /** PyTorch's printed form. */
  abstract override toString(): string;

  /** @internal `tensor(...)`, with the suffixes on as many lines as they need; `newLine` starts one for the first. */
  protected printed(text: string, suffixes: readonly string[], newLine = false): string {
    const where = this.isMeta ? ["device='meta'"] : [];
    const grad = this.#requiresGrad ? ['requires_grad=True'] : [];
    const out = withSuffixes(`tensor(${text}`, [...where, ...suffixes, ...grad], INDENT, newLine);
    return this.isParameter ? `Parameter containing:\n${out}` : out;
  }
}

// Methods of lib/ops in other tensors; here there is nothing to cut a gradient from.
Object.defineProperty(StoredTensor.prototype, 'detach', {
  value(this: StoredTensor) {
    return this;
  },
  writable: true,
  configurable: true,
});

/** How far the lines of a printed tensor are moved to the right: `tensor(`. */
export const INDENT = 7;

/** A tensor inside another's printed form: its elements, without what it says about its type. */
export function nested(name: string, t: Tensor): string {
  const empty = t.isMeta ? '...' : t.numel() === 0 ? '[]' : null;
  const text = empty === null ? elementsText(t, INDENT + name.length + 8) : `${empty}, size=${sizeText(t.shape)}`;
  return `${name}=tensor(${text})`;
}

/** A size as Python prints a tuple. */
export function sizeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

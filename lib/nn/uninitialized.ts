// What a tensor without a shape refuses: every method that reads or writes elements, in PyTorch's words. Without this the
// methods would find no elements, do nothing, and pass for done.
import { RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { UninitializedBuffer, UninitializedParameter } from './parameter.js';

/** What concerns type and place alone, and what modules move, copy and read themselves. */
const ALLOWED = new Set(
  'to copy_ size half float double bfloat16 char short int long bool cpu cuda isComplex isFloatingPoint type detach typeAs'.split(
    ' ',
  ),
);

for (const { prototype, name: kind } of [UninitializedParameter, UninitializedBuffer]) {
  const refuse = (name: string): (() => never) => {
    return () => {
      throw new RuntimeError(
        `Attempted to use an uninitialized parameter in ${name}. This error happens when you are using a \`LazyModule\` or ` +
          `explicitly manipulating \`torch.nn.parameter.${kind}\` objects. When using LazyModules Call \`forward\` with a ` +
          'dummy batch to initialize the parameters before calling torch functions',
      );
    };
  };
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(Tensor.prototype))) {
    // Rows of ops, by the signature that they carry; the few methods that a tensor has itself know what they ask for.
    const isRow = typeof value === 'function' && 'signature' in value;
    if (!isRow || ALLOWED.has(name) || Object.hasOwn(prototype, name)) continue;
    Object.defineProperty(prototype, name, { value: refuse(name), writable: true, configurable: true });
  }
  Object.defineProperty(prototype, 'shareMemory_', {
    value(): never {
      throw new RuntimeError(
        "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before " +
          'calling `module.share_memory()`.',
      );
    },
    writable: true,
    configurable: true,
  });
}

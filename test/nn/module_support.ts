// Helpers of the tests of modules.
import torch, { type nn, type Tensor } from 'flambeau';

/** 0, 0.1, 0.2, ... in a shape. */
export function ramp(...shape: number[]): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return torch.arange(n).mul(0.1).reshape(shape);
}

/** Sets all parameters, in order, to sin(1), sin(2), ... */
export function fill<M extends nn.Module>(module: M): M {
  let at = 1;
  torch.noGrad(() => {
    for (const p of module.parameters()) {
      const values = Array.from({ length: p.numel() }, () => Math.sin(at++));
      p.copy_(torch.tensor(values).reshape([...p.shape]));
    }
  });
  return module;
}

/** Expects a tensor of this shape with these values, given flat. */
export function expectTensor(found: Tensor | null, shape: number[], values: number[], digits = 5): void {
  expect(found).not.toBeNull();
  expect([...found!.shape]).toEqual(shape);
  const flat = Array.from(found!.detach().to(torch.float64).contiguous().toTypedArray(), Number);
  expect(flat).toHaveLength(values.length);
  flat.forEach((value, i) => {
    expect(value).toBeCloseTo(values[i]!, digits);
  });
}

/** The names of `named...()` iterators. */
export function names(entries: Iterable<readonly [string, unknown]>): string[] {
  return [...entries].map(([name]) => name);
}

/** What a call throws: the class and the message. */
export function thrown(fn: () => unknown): { type: string; message: string } | null {
  try {
    fn();
  } catch (error) {
    const { constructor, message } = error as Error;
    return { type: constructor.name, message };
  }
  return null;
}

/** Runs `fn` and gives the warnings that the process emits meanwhile. */
export function warnings(fn: () => void): string[] {
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  try {
    fn();
    return emit.mock.calls.map(([message]) => String(message));
  } finally {
    emit.mockRestore();
  }
}

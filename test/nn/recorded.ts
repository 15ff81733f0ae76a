// Recorded cases of PyTorch (record_layers.py) as calls of the library.
import torch, { type DType, type Tensor } from 'flambeau';

/** A tensor with its values in row-major order; infinite ones and NaN as text. */
export interface Flat {
  shape: number[];
  values: (number | string)[];
}
type Named = Record<string, unknown>;

/** The input that a recorded description stands for; random ones are drawn now. */
export function draw(spec: unknown): unknown {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return spec;
  const s = spec as {
    randn?: number[];
    rand?: number[];
    randint?: number[];
    low: number;
    high: number;
    values?: unknown;
    dtype: string;
  };
  if (s.randn) return torch.randn(s.randn).requiresGrad_();
  if (s.rand) return torch.rand(s.rand).requiresGrad_();
  if (s.randint) return torch.randint(s.low, s.high, s.randint);
  return torch.tensor(s.values, { dtype: (torch as unknown as Record<string, DType>)[s.dtype] });
}

/** All options drawn; undefined if there are none. */
export function drawAll(options: Named): Named | undefined {
  const entries = Object.entries(options).map(([k, v]) => [k, draw(v)] as const);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Named);
}

/** The tensors in a nested result, in order. */
export function tensorsOf(value: unknown): Tensor[] {
  if (value instanceof torch.Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsOf) : [];
}

/** Compares a tensor with recorded values. */
export function expectFlat(what: string, found: Tensor | null | undefined, want: Flat | null, tolerance = 2e-5): void {
  if (want === null) {
    expect([what, found ?? null]).toEqual([what, null]);
    return;
  }
  expect([what, found?.shape]).toEqual([what, want.shape]);
  const values = Array.from(found!.detach().to(torch.float64).toTypedArray(), Number);
  const wrong = values.flatMap((v, i) => {
    const w = Number(want.values[i]);
    const same = Object.is(v, w) || v === w || Math.abs(v - w) <= tolerance * (1 + Math.abs(w));
    return same ? [] : [`${what}[${i}]: ${v}, expected ${w}`];
  });
  expect(wrong).toEqual([]);
}

/** Gradients of sum(output * (0.3, 0.4, 0.5, ...)) for all floating-point outputs. */
export function gradients(outputs: readonly Tensor[], leaves: readonly Tensor[]): (Tensor | null)[] {
  const outs = outputs.filter((t) => t.requiresGrad);
  if (outs.length === 0) return [];
  const terms = outs.map((t) =>
    t
      .mul(
        torch
          .arange(t.numel(), { dtype: t.dtype, device: t.device })
          .reshape([...t.shape])
          .mul(0.1)
          .add(0.3),
      )
      .sum(),
  );
  const total = terms.reduce((a, b) => a.add(b));
  return torch.autograd.grad(total, [...leaves], { allowUnused: true }) as (Tensor | null)[];
}

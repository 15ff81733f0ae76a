// Modules on the meta device: sizes without elements, moving there and back, and making modules without initial values.
import torch, { F, nn, type Tensor } from 'flambeau';
import { draw, drawAll, type Flat, gradients, tensorsOf } from './recorded';
import functional from './functional.json';
import recorded from './layers.json';

interface Case {
  class: string;
  args: unknown[];
  options: Record<string, unknown>;
  training: boolean;
  inputs: unknown[];
  call: Record<string, unknown>;
  repr: string;
  state: Record<string, Flat>;
  outputs: Flat[];
  grads: (Flat | null)[];
}
const cases = recorded as unknown as Case[];
const layers = nn as unknown as Record<string, new (...args: unknown[]) => nn.Module>;

/** Layers that look at lengths or classes. */
const READ_LAYERS: readonly string[] = ['AdaptiveLogSoftmaxWithLoss', 'CTCLoss'];

function make(c: Case): nn.Module {
  const given = Object.keys(c.options).length === 0 ? c.args : [...c.args, c.options];
  return new layers[c.class]!(...given).train(c.training);
}
const moved = (value: unknown): unknown =>
  value instanceof torch.Tensor ? value.detach().to('meta').requiresGrad_(value.requiresGrad) : value;

describe('every recorded layer', () => {
  test.each(cases.map((c, i) => [`${i} ${c.class}`, c] as const))('%s', (_name, c) => {
    torch.manualSeed(3);
    const state = torch.getRngState().tolist();
    const layer = torch.device('meta', () => make(c));
    expect(torch.getRngState().tolist()).toEqual(state);
    expect(String(layer)).toBe(c.repr);
    for (const t of layer.stateDict().values()) expect(t.isMeta).toBe(true);
    const inputs = c.inputs.map(draw).map(moved);
    const options = drawAll(c.call);
    const call = layer as unknown as (...args: unknown[]) => unknown;
    if (READ_LAYERS.includes(c.class)) return expect(() => call(...inputs)).toThrow(/meta/);
    const given = options && Object.fromEntries(Object.entries(options).map(([k, v]) => [k, moved(v)]));
    const outputs = tensorsOf(given === undefined ? call(...inputs) : call(...inputs, given));
    expect(outputs.map((t) => [t.isMeta, ...t.shape])).toEqual(c.outputs.map((t) => [true, ...t.shape]));
    const leaves = [
      ...inputs.filter((x) => x instanceof torch.Tensor && x.requiresGrad),
      ...layer.parameters(),
    ] as Tensor[];
    const grads = gradients(outputs, leaves);
    expect(grads.map((g) => g && [...g.shape])).toEqual(c.grads.map((g) => g && g.shape));
  });
});

interface Call {
  fn: string;
  args: unknown[];
  options: Record<string, unknown>;
  outputs: Flat[];
  grads: (Flat | null)[];
}
/** Recorded calls that read elements: of lengths, of places, of drawn numbers. */
const READ: readonly string[] = ['ctcLoss', 'oneHot'];

describe('every recorded function', () => {
  const functions = F as unknown as Record<string, (...args: unknown[]) => unknown>;
  test.each((functional as unknown as Call[]).map((c, i) => [`${i} ${c.fn}`, c] as const))('%s', (_name, c) => {
    const args = c.args.map(draw).map(moved);
    const options = drawAll(c.options);
    const given = options && Object.fromEntries(Object.entries(options).map(([k, v]) => [k, moved(v)]));
    const run = (): Tensor[] =>
      tensorsOf(given === undefined ? functions[c.fn]!(...args) : functions[c.fn]!(...args, given));
    if (READ.includes(c.fn)) return expect(run).toThrow(/meta/);
    const outputs = run();
    expect(outputs.map((t) => [t.isMeta, ...t.shape])).toEqual(c.outputs.map((t) => [true, ...t.shape]));
    const leaves = [...args, ...Object.values(given ?? {})].filter(
      (x) => x instanceof torch.Tensor && x.requiresGrad,
    ) as Tensor[];
    expect(gradients(outputs, leaves).map((g) => g && [...g.shape])).toEqual(c.grads.map((g) => g && g.shape));
  });
});

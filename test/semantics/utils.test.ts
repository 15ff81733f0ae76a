// nn.utils and nn.init. The programs are those of scripts/semantics/utils.py.
import torch, { nn, type Tensor } from 'flambeau';
import { fill, names, ramp } from '../nn/module_support';
import { error, floats, kind, leaf, programs } from './support';

const { init, utils: U } = nn;
const R = U.rnn;
const longs = (...values: number[]): Tensor => torch.tensor(values, { dtype: torch.int64 });
const keys = (m: nn.Module): string[] => [...m.stateDict().keys()];
const parameters = (m: nn.Module): string[] => names(m.namedParameters());
const buffers = (m: nn.Module): string[] => names(m.namedBuffers());
const named = (m: nn.Module, name: string): Tensor => (m as unknown as Record<string, Tensor>)[name]!;

programs('utils', {
  sequences() {
    const [a, b, c] = [ramp(4, 2), ramp(2, 2).add(1), ramp(3, 2).add(2)];
    const padded = R.padSequence([a, b, c], { paddingValue: -1 });
    const loose = { enforceSorted: false };
    const packed = R.packPaddedSequence(padded, longs(4, 2, 3), loose);
    const [back, lengths] = R.padPackedSequence(packed, { batchFirst: true, paddingValue: 9, totalLength: 5 });
    const direct = R.packSequence([a, c, b]);
    return {
      padded,
      batchFirst: R.padSequence([a, b, c], { batchFirst: true }),
      left: R.padSequence([a, b], { batchFirst: true, paddingSide: 'left' }),
      data: packed.data,
      sizes: packed.batchSizes,
      sorted: packed.sortedIndices,
      unsorted: packed.unsortedIndices,
      back,
      lengths,
      direct: direct.data,
      none: direct.sortedIndices === null,
      notSorted: error(() => R.packPaddedSequence(padded, [4, 2, 3])),
      zero: error(() => R.packPaddedSequence(padded, [4, 0, 3], loose)),
      count: kind(() => R.packPaddedSequence(padded, [4, 2], loose)),
      shortTotal: error(() => R.padPackedSequence(packed, { totalLength: 2 })),
      unpacked: R.unpackSequence(packed),
      unpadded: R.unpadSequence(padded, longs(4, 2, 3)),
      empty: kind(() => R.padSequence([])),
      double: String(packed.to(torch.float64).data.dtype),
    };
  },

  packedThroughLayers() {
    const lstm = fill(new nn.LSTM(2, 3, { batchFirst: true, bidirectional: true }));
    const xs = [ramp(4, 2), ramp(2, 2).add(1), ramp(3, 2).sub(1)].map((x) => x.requiresGrad_());
    const [out, [h, c]] = lstm(R.packSequence(xs, { enforceSorted: false }));
    const [padded, lengths] = R.padPackedSequence(out as nn.utils.rnn.PackedSequence, { batchFirst: true });
    padded.sum().add(h.sum()).backward();
    const alone = xs.map((x) => (lstm(x.detach().unsqueeze(0))[0] as Tensor).squeeze(0));
    return {
      padded,
      h,
      c,
      lengths,
      grads: xs.map((x) => x.grad),
      same: alone.map((q, i) => torch.allclose(padded.select(0, i).narrow(0, 0, q.shape[0]!), q, { atol: 1e-6 })),
    };
  },

  clippedNorms() {
    const params = (): Tensor[] => {
      const [a, b, c] = [leaf([3, 4]), leaf([[12]]), leaf([1])];
      a.grad = floats(3, -4);
      b.grad = torch.tensor([[12]]).float();
      return [a, b, c];
    };
    const grads = (list: Tensor[]) => list.map((t) => t.grad);
    const one = (gradient: number): Tensor => {
      const t = leaf([1]);
      t.grad = floats(gradient);
      return t;
    };
    const [p, q, r, s] = [params(), params(), params(), params()];
    const total = U.clipGradNorm_(p, 6.5);
    const largest = U.clipGradNorm_(q, 6, { normType: Infinity });
    const small = U.clipGradNorm_(r, 100);
    U.clipGradValue_(s, 3.5);
    const bad = one(NaN);
    const single = one(10);
    U.clipGradNorm_(single, 1);
    return {
      total,
      p: grads(p),
      largest,
      q: grads(q),
      small,
      r: r[0]!.grad,
      s: grads(s),
      nan: error(() => U.clipGradNorm_([bad], 1, { errorIfNonfinite: true })),
      nanPasses: U.clipGradNorm_([bad], 1),
      single: single.grad,
      empty: U.clipGradNorm_([], 1),
      norm: U.getTotalNorm([floats(3), floats(4)]),
      one: U.clipGradNorm_(params(), 1, { normType: 1 }),
    };
  },

  parametersAndVectors() {
    const m = fill(new nn.Linear(2, 2));
    const v = U.parametersToVector(m.parameters());
    U.vectorToParameters(torch.arange(6).float(), m.parameters());
    return {
      v,
      requires: v.requiresGrad,
      weight: m.weight,
      bias: m.bias,
      kind: kind(() => U.vectorToParameters([1] as never, m.parameters())),
    };
  },

  olderWeightNorm() {
    const wide = (): nn.Linear => fill(new nn.Linear(3, 2));
    const m = U.weightNorm(wide());
    const found: Record<string, unknown> = {
      names: parameters(m),
      state: keys(m),
      g: named(m, 'weight_g').clone(),
      v: named(m, 'weight_v').clone(),
      parameter: (m.weight as Tensor) instanceof nn.Parameter,
    };
    torch.noGrad(() => named(m, 'weight_g').mul_(2));
    const y = m(ramp(2, 3));
    y.sum().backward();
    found.y = y;
    found.grads = [named(m, 'weight_g').grad, named(m, 'weight_v').grad];
    found.twice = error(() => U.weightNorm(m));
    U.removeWeightNorm(m);
    found.after = keys(m);
    found.weight = m.weight;
    found.again = error(() => U.removeWeightNorm(m));
    found.dim1 = named(U.weightNorm(fill(new nn.Conv1d(2, 3, 2)), { dim: 1 }), 'weight_g');
    found.none = named(U.weightNorm(wide(), { dim: null }), 'weight_g');
    return found;
  },

  olderSpectralNorm() {
    const m = U.spectralNorm(fill(new nn.Linear(3, 4)), { nPowerIterations: 20 });
    m(ramp(2, 3));
    const y = m(ramp(2, 3));
    m.eval();
    const found: Record<string, unknown> = {
      y,
      parameters: parameters(m),
      buffers: buffers(m),
      largest: torch.linalg.svdvals(m.weight.detach()).select(0, 0),
    };
    U.removeSpectralNorm(m);
    found.after = [parameters(m), buffers(m)];
    return found;
  },

  foldedBatchNorm() {
    const conv = fill(new nn.Conv2d(1, 2, 2));
    const bn = new nn.BatchNorm2d(2);
    torch.noGrad(() => {
      bn.running_mean!.copy_(floats(0.1, -0.2));
      bn.running_var!.copy_(floats(0.5, 2));
      bn.weight!.copy_(floats(1.5, 0.5));
      bn.bias!.copy_(floats(0.3, 0.7));
    });
    const fused = U.fuseConvBnEval(conv.eval(), bn.eval());
    const x = ramp(1, 1, 3, 3);
    return {
      weight: fused.weight,
      bias: fused.bias,
      same: torch.allclose(fused(x), bn(conv(x)), { atol: 1e-6 }),
      // PyTorch has an AssertionError.
      training: kind(() => U.fuseConvBnEval(conv.train(), bn)),
    };
  },

  skippedInitialisation() {
    torch.manualSeed(3);
    const before = torch.rand(1);
    torch.manualSeed(3);
    const m = U.skipInit(nn.Linear, 3, 2, { bias: false });
    return {
      sameStream: torch.equal(before, torch.rand(1)),
      shape: m.weight.shape,
      bias: m.bias === null,
      requires: m.weight.requiresGrad,
    };
  },

  initialValues() {
    const w = torch.empty(4, 6);
    const table: Record<string, (t: Tensor) => Tensor> = {
      uniform: (t) => init.uniform_(t, -1, 2),
      normal: (t) => init.normal_(t, 1, 2),
      xavierUniform: (t) => init.xavierUniform_(t, { gain: 2 }),
      xavierNormal: (t) => init.xavierNormal_(t),
      kaimingUniform: (t) => init.kaimingUniform_(t, { a: Math.sqrt(5) }),
      kaimingNormal: (t) => init.kaimingNormal_(t, { mode: 'fan_out', nonlinearity: 'leaky_relu' }),
      trunc: (t) => init.truncNormal_(t, 0.5, 1, -1, 1),
      constant: (t) => init.constant_(t, 0.3),
      ones: (t) => init.ones_(t),
      zeros: (t) => init.zeros_(t),
      eye: (t) => init.eye_(t),
    };
    const found = Object.entries(table).map(([name, f]) => {
      torch.manualSeed(1);
      return [name, f(w).clone()];
    });
    return { ...Object.fromEntries(found), dirac: init.dirac_(torch.empty(4, 2, 3), { groups: 2 }) };
  },

  initialStatistics() {
    const w = torch.empty(20, 30);
    const q = init.orthogonal_(torch.empty(4, 6));
    const s = init.sparse_(torch.empty(20, 10), 0.3);
    const tn = init.truncNormal_(torch.empty(1000), { mean: 1, std: 2, a: 0, b: 2 });
    const bound = (5 / 3) * Math.sqrt(6 / 50);
    const kinds = ['linear', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu', 'conv2d'] as const;
    return {
      xavier: Number(init.xavierUniform_(w, init.calculateGain('tanh')).abs().max().item()) <= bound,
      orthogonal: torch.allclose(q.matmul(q.t()), torch.eye(4), { atol: 1e-5 }),
      zerosPerColumn: s.eq(0).sum(0),
      truncated: tn.ge(0).logicalAnd(tn.le(2)).all().item(),
      gains: [...kinds.map((name) => init.calculateGain(name)), init.calculateGain('leaky_relu', 0.5)],
    };
  },

  initialErrors() {
    const empty = (...shape: number[]): Tensor => torch.empty(shape);
    return {
      vector: error(() => init.xavierUniform_(empty(3))),
      eye: error(() => init.eye_(empty(2, 2, 2))),
      dirac: error(() => init.dirac_(empty(2, 2))),
      groups: error(() => init.dirac_(empty(3, 2, 2), 2)),
      sparse: error(() => init.sparse_(empty(2), 0.1)),
      orthogonal: error(() => init.orthogonal_(empty(2))),
      gain: error(() => init.calculateGain('other' as never)),
      mode: error(() => init.kaimingNormal_(empty(2, 2), { mode: 'fan' as never })),
      slope: kind(() => init.calculateGain('leaky_relu', 'x' as never)),
    };
  },

  initialValuesOfLayers() {
    const table: Record<string, () => nn.Module> = {
      linear: () => new nn.Linear(3, 2),
      conv: () => new nn.Conv2d(1, 2, 2),
      embedding: () => new nn.Embedding(3, 2),
      lstm: () => new nn.LSTM(2, 1),
      bilinear: () => new nn.Bilinear(2, 2, 1),
      attention: () => new nn.MultiheadAttention(4, 2),
      transpose: () => new nn.ConvTranspose1d(2, 1, 2),
      gru: () => new nn.GRUCell(2, 1),
      prelu: () => new nn.PReLU(2),
    };
    return Object.fromEntries(
      Object.entries(table).map(([name, make]) => {
        torch.manualSeed(5);
        return [name, [...make().parameters()]];
      }),
    );
  },
});

// Tensors: views, indexing, types, errors of shape, random numbers. The programs are those of scripts/semantics/tensor.py.
import torch, { F, nn, type Tensor } from 'flambeau';
import { error, floats, kind, programs } from './support';

const { slice } = torch;
const longs = (...values: number[]): Tensor => torch.tensor(values, { dtype: torch.int64 });
const range = (n: number): Tensor => torch.arange(n, { dtype: torch.float32 });
const shape = (t: Tensor): readonly number[] => t.shape;
const wrong = (value: unknown): never => value as never;

programs('tensor', {
  viewsShare() {
    const x = range(6).reshape(2, 3);
    const [t, v, s, e] = [x.t(), x.view(-1), x.index(1), x.index(slice(), slice(null, 1)).expand(2, 3)];
    const [c, r] = [x.clone(), x.t().reshape(-1)];
    const [reshaped, flat] = [x.reshape(3, 2), x.flatten()];
    const [d, n] = [torch.diagonal(x), x.narrow(1, 1, 2)];
    x.indexPut_([1, 0], 100);
    return {
      t,
      v,
      s,
      e,
      c,
      r,
      reshaped,
      flat,
      diagonal: d,
      narrow: n,
      viewError: error(() => x.t().view(-1)),
      strides: [x, t, e, d, n].map((a) => a.stride()),
      contiguous: [x, t, v, n, e].map((a) => a.isContiguous()),
      offsets: [s, n, d].map((a) => a.storageOffset()),
      contiguousIsSelf: x.contiguous() === x,
      unfold: x.unfold(1, 2, 1),
      chunks: x.chunk(2, 1).map(shape),
      split: torch.arange(7).split(3).map(shape),
      sameMemory: x.view(6).dataPtr() === x.dataPtr(),
    };
  },

  shapeErrors() {
    const o = (...sizes: number[]): Tensor => torch.ones(sizes);
    const call = (m: (x: Tensor) => unknown, x: Tensor) => error(() => m(x));
    return {
      matmul: error(() => o(2, 3).matmul(o(2, 3))),
      add: error(() => o(2).add(o(3))),
      cat: error(() => torch.cat([o(2, 2), o(2, 3)])),
      catDims: error(() => torch.cat([o(2), o(2, 3)])),
      view: error(() => o(4).view(3)),
      minusOne: error(() => o(4).view(-1, 3)),
      twoMinus: error(() => o(4).view(-1, -1)),
      index: error(() => o(2).index(5)),
      indexList: error(() => o(2).index(longs(5))),
      tooMany: error(() => o(2).index(0, 0)),
      dim: error(() => o(2).sum(3)),
      linear: call(new nn.Linear(3, 2), o(2, 4)),
      conv: call(new nn.Conv2d(3, 2, 3), o(1, 4, 8, 8)),
      convSmall: call(new nn.Conv2d(1, 1, 5), o(1, 1, 3, 3)),
      convDims: call(new nn.Conv2d(1, 1, 1), o(3, 3)),
      target: error(() => F.crossEntropy(o(2, 3), longs(0, 5))),
      targetType: error(() => F.crossEntropy(o(2, 3), floats(0, 1))),
      batch: error(() => F.crossEntropy(o(2, 3), longs(0))),
      mse: kind(() => F.mseLoss(o(2), o(3))),
      embedding: call(new nn.Embedding(3, 2), longs(5)),
      embeddingType: kind(() => new nn.Embedding(3, 2)(o(1))),
      batchNorm: call(new nn.BatchNorm1d(2), o(1, 2)),
      batchNormSize: call(new nn.BatchNorm1d(2), o(3, 5)),
      layerNorm: call(new nn.LayerNorm(3), o(2, 4)),
      types: error(() => o(2, 2).matmul(o(2, 2).double())),
      squeeze: error(() => o(2).squeeze(4)),
      stack: error(() => torch.stack([])),
      stackSizes: error(() => torch.stack([o(2), o(3)])),
      permute: error(() => o(2, 3).permute(0)),
      permuteTwice: error(() => o(2, 3).permute(0, 0)),
      transpose: error(() => o(2).transpose(0, 1)),
      expand: error(() => o(2, 3).expand(4, 3)),
      expandLess: error(() => o(2, 3).expand(3)),
      item: error(() => o(2).item()),
      emptyMax: error(() => o(0).max()),
      emptyMaxDim: error(() => o(2, 0).max(1)),
      pool: error(() => F.maxPool2d(o(1, 1, 2, 2), 3)),
      bmm: error(() => torch.bmm(o(1, 2, 3), o(2, 3, 2))),
      mv: error(() => o(2, 3).mv(o(2))),
      dot: error(() => o(2).dot(o(3))),
      gather: error(() => o(2, 2).gather(0, longs(5).unsqueeze(0)))!.message,
      unfold: error(() => o(3).unfold(0, 5, 1)),
      pixel: error(() => F.pixelShuffle(o(1, 3, 2, 2), 2)),
      groupNorm: error(() => new nn.GroupNorm(2, 3)),
      attention: error(() => new nn.MultiheadAttention(5, 2)),
      paddingMode: kind(() => new nn.Conv2d(1, 1, 1, { paddingMode: wrong('mirror') })),
      groups: error(() => new nn.Conv2d(3, 2, 1, { groups: 2 })),
    };
  },

  indexing() {
    const x = range(24).reshape(2, 3, 4);
    const [i, j] = [longs(0, 1, 1), longs(2, 0, 1)];
    const all = slice();
    return {
      int: x.index(1),
      negative: x.index(-1, -1),
      slice: x.index(all, slice(1), slice(null, null, 2)),
      ellipsis: x.index('...', 0),
      newAxis: x.index(null, all, null).shape,
      list: x.index(i),
      pair: x.index(i, j),
      apart: x.index(i, all, j),
      mixed: x.index(all, i, slice(1, 3)),
      mask: x.index(x.gt(10)),
      rowMask: x.index(torch.tensor([true, false])),
      matrixIndex: x.index(torch.zeros(2, 2, { dtype: torch.int64 })).shape,
      broadcast: x.index(longs(0, 1).unsqueeze(1), longs(0, 2)),
      take: x.take(longs(0, 5, -1)),
      select: x.indexSelect(2, j),
      masked: x.maskedSelect(x.remainder(7).eq(0)),
    };
  },

  assignments() {
    const after = (change: (x: Tensor) => unknown): Tensor => {
      const x = torch.zeros(3, 3);
      change(x);
      return x;
    };
    return {
      row: after((x) => x.indexPut_([1], 5)),
      column: after((x) => x.indexPut_([slice(), 0], range(3))),
      block: after((x) => x.indexPut_([slice(null, 1), slice(1, 3)], 7)),
      mask: after((x) => x.indexPut_([torch.eye(3).bool()], 2)),
      indices: after((x) => x.indexPut_([longs(0, 2), longs(1, 1)], floats(3, 4))),
      all: after((x) => x.indexPut_(['...'], 1)),
      accumulate: after((x) => x.indexPut_([longs(0, 0), longs(1, 1)], floats(3, 4), { accumulate: true })),
      error: kind(() => torch.zeros(3).indexPut_([slice(null, 2)], torch.ones(3))),
    };
  },

  types() {
    const one = (dtype: Tensor['dtype']): Tensor => torch.ones(1, { dtype });
    const [f, d, h, i, u] = [torch.float32, torch.float64, torch.float16, torch.int64, torch.uint8].map(one) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const b = torch.tensor([true]);
    const zero = torch.tensor(1, { dtype: torch.float64 });
    const t = (x: Tensor): string => x.dtype.name;
    return {
      pairs: [f.add(d), f.add(h), f.add(i), i.add(b), u.add(i), b.add(b), i.mul(2.5), f.mul(2.5), b.mul(2)].map(t),
      scalarTensor: [f.add(zero), i.add(zero), h.mul(zero)].map(t),
      division: [i.div(i), i.floorDivide(i), b.div(b)].map(t),
      comparison: t(i.gt(f)),
      reductions: [i.sum(), b.sum(), u.sum(), i.float().mean(), b.any(), f.argmax(), u.cumsum(0)].map(t),
      meanOfIntegers: error(() => i.mean()),
      functions: [i.exp(), b.sqrt(), h.exp(), i.abs(), i.neg()].map(t),
      stack: [torch.stack([f, d]), torch.cat([i, f])].map(t),
      where: t(torch.where(b, f, d) as Tensor),
      result: String(torch.resultType(i, 1.5)),
      casts: [floats(1.9, -1.9).to(torch.int64), longs(300).to(torch.uint8), floats(0, 0.5).bool()],
      negBool: kind(() => b.neg()),
      subBool: error(() => b.sub(b)),
    };
  },

  seeding() {
    torch.manualSeed(5);
    const a = torch.randn(3);
    const state = torch.getRngState();
    const b = torch.rand(3);
    torch.setRngState(state);
    const c = torch.rand(3);
    torch.manualSeed(5);
    const d = torch.randn(3);
    const generator = new torch.Generator().manualSeed(5);
    const e = torch.randn(3, { generator });
    return {
      a,
      b,
      repeatable: torch.equal(a, d),
      restored: torch.equal(b, c),
      own: torch.equal(a, e),
      perm: torch.randperm(6),
      ints: torch.randint(3, 7, [5]),
      normal: torch.normal(floats(0, 10), floats(1, 0.1)),
      inPlace: torch.empty(3).uniform_(2, 3),
      multinomial: torch.multinomial(floats(0.1, 0.6, 0.3), 4, { replacement: true }),
      seed: torch.initialSeed(),
      exponential: torch.empty(2).exponential_(2),
    };
  },

  values() {
    const nan = floats(NaN);
    const scalar = torch.tensor(3, { dtype: torch.float32 });
    return {
      item: torch.tensor([[1.5]]).item(),
      list: longs(1, 2, 3, 4).view(2, 2).tolist(),
      equal: [torch.equal(torch.ones(2), torch.ones(2)), torch.equal(torch.ones(2), torch.ones(2, 1))],
      close: torch.allclose(floats(1), floats(1 + 1e-6)),
      nan: [torch.equal(nan, nan.clone()), torch.allclose(nan, nan, { equalNan: true })],
      scalar: [scalar.ndim, scalar.shape, scalar.numel()],
      sizes: [torch.empty(0).shape, torch.empty(2, 0).numel(), torch.empty(2, 0).sum()],
    };
  },
});

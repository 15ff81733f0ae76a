// Changing tensors in place: what autograd notices, follows and refuses. The programs are those of scripts/semantics/inplace.py.
import torch, { F, type Tensor } from 'flambeau';
import { ramp } from '../nn/module_support';
import { error, floats, kind, leaf, programs } from './support';

const ones = (): Tensor => torch.ones(3, { requiresGrad: true });
const longs = (...values: number[]): Tensor => torch.tensor(values, { dtype: torch.int64 });

programs('inplace', {
  savedTensorChanged() {
    const y = ones().exp();
    y.add_(1);
    const b = ones().mul(2);
    const c = b.mul(b);
    b.mul_(2);
    return { exp: error(() => y.sum().backward()), mul: error(() => c.sum().backward()) };
  },

  changesThatCount() {
    const after = (change: (y: Tensor) => unknown): string | null => {
      const y = ones().mul(2);
      const z = y.mul(y).sum();
      change(y);
      const failed = error(() => z.backward());
      return failed && failed.message.split('is at ')[1]!.slice(0, 34);
    };
    return {
      view: after((y) => y.select(0, 0).fill_(5)),
      detached: after((y) => y.detach().add_(1)),
      index: after((y) => y.indexPut_([longs(0, 2)], torch.tensor(1))),
      copy: after((y) => y.copy_(torch.zeros(3))),
      noGrad: after((y) => torch.noGrad(() => y.zero_())),
      twice: after((y) => y.add_(1).mul_(2)),
      data: after((y) => y.data.add_(1)),
      nothing: after((y) => y.t()),
      empty: after((y) => y.narrow(0, 0, 0).fill_(1)),
      setShape: after((y) => y.unsqueeze_(0)),
    };
  },

  savedTensorNotNeeded() {
    const x = ones();
    const y = x.mul(2);
    y.add_(1).mul_(3);
    y.sum().backward();
    return { y, grad: x.grad };
  },

  whatIsSaved() {
    const fails = (f: (a: Tensor) => Tensor, which: 'input' | 'result'): boolean => {
      const a = ramp(3).add(0.5).requiresGrad_().mul(1);
      const out = f(a);
      torch.noGrad(() => (which === 'input' ? a : out).add_(1));
      return error(() => out.sum().backward()) !== null;
    };
    const table: Record<string, (a: Tensor) => Tensor> = {
      exp: torch.exp,
      log: torch.log,
      sqrt: torch.sqrt,
      tanh: torch.tanh,
      sigmoid: torch.sigmoid,
      relu: torch.relu,
      add: (a) => a.add(1),
      mul: (a) => a.mul(a),
      scale: (a) => a.mul(2),
      div: (a) => a.div(a.detach().add(1)),
      divisor: (a) => torch.ones(3).div(a),
      neg: torch.neg,
      square: (a) => a.pow(2),
      sin: torch.sin,
      softmax: (a) => a.softmax(0),
      cumsum: (a) => a.cumsum(0),
      abs: torch.abs,
      clamp: (a) => a.clamp({ min: 0.6 }),
      reciprocal: torch.reciprocal,
      rsqrt: torch.rsqrt,
      sum: (a) => a.sum(0, true),
      mean: (a) => a.mean(0, true),
      prod: (a) => a.prod(0, true),
      norm: (a) => a.norm().view(1),
      where: (a) => torch.where(torch.tensor([true, false, true]), a, a.mul(2)) as Tensor,
    };
    return Object.fromEntries(
      Object.entries(table).map(([name, f]) => [name, [fails(f, 'input'), fails(f, 'result')]]),
    );
  },

  leaves() {
    const x = leaf([1, 2]);
    const whole = error(() => x.add_(1));
    const view = error(() => x.select(0, 0).add_(1));
    const detached = x.detach().mul_(10).clone();
    torch.noGrad(() => {
      x.add_(1);
      x.select(0, 0).fill_(100);
    });
    const free = torch.ones(2);
    free.add_(x);
    return {
      whole,
      view,
      detached,
      x,
      leaf: x.isLeaf,
      free: [free.requiresGrad, free.isLeaf],
      flag: error(() => x.requiresGrad_(false)),
      fill: error(() => leaf([1]).fill_(3)),
      transpose: error(() => leaf([[1]]).t_()),
    };
  },

  intoAConstant() {
    const w = leaf([2, 3]);
    const gradient = (out: Tensor): Tensor => {
      w.grad = null;
      out.sum().backward();
      return w.grad!.clone();
    };
    const a = torch.zeros(2, 2);
    a.select(0, 0).copy_(w);
    a.select(1, 1).mul_(w);
    const b = torch.ones(2).copy_(w);
    const c = torch.ones(2).mul_(w);
    const names = [a, b, c].map((t) => t.gradFn!.name());
    return {
      a,
      assigned: gradient(a.mul(ramp(2, 2))),
      copied: gradient(b.mul(floats(1, 10))),
      multiplied: gradient(c),
      names,
    };
  },

  throughView() {
    const x = ramp(4).requiresGrad_();
    const a = x.mul(1);
    a.index(torch.slice(1, 3)).mul_(10);
    a.select(0, 0).fill_(7);
    a.mul(a).sum().backward();
    return { a, grad: x.grad };
  },

  throughViewsOfViews() {
    const x = ramp(2, 3).requiresGrad_();
    const a = x.mul(1);
    const v = a.t();
    const row = v.select(0, 1);
    row.mul_(5).sub_(1);
    v.select(1, 0).mul_(3);
    a.view(-1).narrow(0, 2, 2).zero_();
    a.mul(ramp(2, 3).add(1)).sum().backward();
    return { a, row, grad: x.grad, names: [a.gradFn!.name(), row.gradFn!.name()] };
  },

  viewBeforeTheChange() {
    const x = leaf([1, 2, 3]);
    const a = x.mul(1);
    const v = a.narrow(0, 1, 2);
    a.mul_(floats(1, 10, 100));
    v.mul(v).sum().backward();
    return { v, grad: x.grad, name: v.gradFn!.name() };
  },

  indexedWrites() {
    const run = (write: (a: Tensor, w: Tensor) => unknown): (Tensor | null)[] => {
      const x = ramp(4).add(1).requiresGrad_();
      const w = leaf([10, 20]);
      const a = x.mul(1);
      write(a, w);
      a.mul(floats(1, 2, 3, 4))
        .sum()
        .backward();
      return [a, x.grad, w.grad];
    };
    const i = longs(0, 3);
    const mask = torch.tensor([false, true, true, false]);
    return {
      put: run((a, w) => a.indexPut_([i], w)),
      accumulate: run((a, w) => a.indexPut_([i], w, { accumulate: true })),
      masked: run((a, w) => a.maskedFill_(mask, w.sum())),
      scatter: run((a, w) => a.scatter_(0, i, w)),
      indexAdd: run((a, w) => a.indexAdd_(0, i, w, { alpha: 2 })),
      indexCopy: run((a, w) => a.indexCopy_(0, i, w)),
      maskedScatter: run((a, w) => a.maskedScatter_(mask, w)),
      slice: run((a, w) => a.index(torch.slice(1, 3)).copy_(w)),
      addFromView: run((a, w) => a.narrow(0, 0, 2).add_(a.narrow(0, 2, 2).add(w))),
      addcmul: run((a, w) => a.narrow(0, 2, 2).addcmul_(w, w, { value: 0.5 })),
    };
  },

  severalViews() {
    const after = (f: (a: Tensor) => Tensor[]) => error(() => f(leaf([1, 2]).mul(1))[0]!.add_(1));
    return {
      unbind: after((a) => a.unbind(0)),
      split: after((a) => a.split(1)),
      chunk: after((a) => a.chunk(2)),
      base: error(() => {
        const a = leaf([1, 2]).mul(1);
        const u = a.unbind(0);
        a.mul_(2);
        return u[0]!.add(1);
      }),
    };
  },

  viewsWithoutRecording() {
    const a = leaf([1, 2]).mul(1);
    const v = torch.noGrad(() => a.select(0, 0));
    const u = torch.inferenceMode(() => a.select(0, 0));
    const refused = error(() => v.mul_(2));
    const inferred = error(() => u.mul_(2));
    torch.noGrad(() => v.mul_(2));
    return { refused, inferred, a };
  },

  versions() {
    const x = torch.ones(3);
    const counts = [x._version];
    x.add_(1);
    counts.push(x._version);
    x.select(0, 0).mul_(2);
    x.detach().zero_();
    counts.push(x._version);
    x.data.fill_(4);
    counts.push(x._version, x.clone()._version, x.narrow(0, 0, 2)._version, x.view(3, 1)._version);
    x.copy_(torch.zeros(3));
    x.select(0, 1).fill_(5);
    counts.push(x._version);
    x.unsqueeze_(0).t_();
    return { counts, reshaped: x._version };
  },

  dtypeRules() {
    const i = torch.ones(2, { dtype: torch.int64 });
    const f = torch.ones(2);
    const b = torch.tensor([true, false]);
    return {
      intPlusFloat: error(() => i.add_(1.5)),
      intDiv: error(() => i.div_(2)),
      intPow: error(() => i.pow_(-1)),
      floatPlusDouble: error(() => f.add_(torch.ones(2, { dtype: torch.float64 }))),
      floatPlusComplex: error(() => f.add_({ re: 0, im: 1 })),
      boolPlusInt: error(() => b.add_(1)),
      boolOr: b.logicalOr_(longs(0, 1)),
      intFill: i.fill_(2.7).clone(),
      intCopy: i.clone().copy_(floats(1.9, -1.9)),
      intMulBool: i.mul_(torch.tensor([true, false])).clone(),
      shape: error(() => f.add_(torch.ones(3, 2))),
      shapeSmaller: error(() => f.add_(torch.ones(1, 2))),
      exp: error(() => i.exp_()),
      compare: f.gt_(0.5).clone(),
      values: [i, f],
    };
  },

  overlappingMemory() {
    const e = torch.ones(1).expand(3);
    const x = torch.arange(4, { dtype: torch.float32 });
    return {
      expanded: error(() => e.add_(1)),
      fill: error(() => e.fill_(1)),
      partial: error(() => x.narrow(0, 1, 3).add_(x.narrow(0, 0, 3))),
      same: error(() => x.add_(x)),
      x,
      copy: error(() => e.copy_(torch.zeros(3))),
      e,
      filled: torch.arange(6, { dtype: torch.float32 }).view(2, 3, 1).expand(2, 3, 4).fill_(7),
      random: error(() => e.uniform_()),
      exp: error(() => e.exp_()),
    };
  },

  shapeChanges() {
    const x = ramp(2, 3).requiresGrad_();
    const a = x.mul(1);
    a.t_().unsqueeze_(0).squeeze_(0);
    a.mul(ramp(3, 2)).sum().backward();
    const b = torch.arange(6);
    const c = b.view(2, 3);
    b.resize_(2, 2);
    return {
      shape: a.shape,
      grad: x.grad,
      resized: b,
      other: c,
      requires: error(() => x.resize_(1)),
      swap: torch.ones(2, 3, 4).transpose_(0, 2).shape,
    };
  },

  activations() {
    const run = (f: (a: Tensor) => unknown): (Tensor | null)[] => {
      const x = leaf([-1, 0.5, 2]);
      const a = x.mul(2);
      f(a);
      a.mul(a).sum().backward();
      return [a, x.grad];
    };
    return {
      relu: run(torch.relu_),
      sigmoid: run(torch.sigmoid_),
      tanh: run(torch.tanh_),
      exp: run(torch.exp_),
      leaky: run((a) => F.leakyRelu(a, 0.1, { inplace: true })),
      elu: run((a) => F.elu(a, { inplace: true })),
      clamp: run((a) => a.clamp_(0, 1.5)),
      abs: run(torch.abs_),
      sqrt: run((a) => a.abs_().sqrt_()),
      div: run((a) => a.div_(a.detach().add(5))),
      self: run((a) => a.mul_(2).add_(a.clone())),
      hardtanh: run((a) => F.hardtanh(a, { inplace: true })),
    };
  },

  selfProducts() {
    const run = (f: (a: Tensor) => unknown): unknown[] => {
      const x = ramp(4).add(1).requiresGrad_();
      const a = x.mul(1);
      f(a);
      return [kind(() => a.sum().backward()), a, x.grad];
    };
    return {
      mul: run((a) => a.mul_(a)),
      add: run((a) => a.add_(a)),
      div: run((a) => a.div_(a)),
      part: run((a) => a.narrow(0, 0, 2).mul_(a.narrow(0, 2, 2))),
      detached: run((a) => a.mul_(a.detach())),
      view: run((a) => a.mul_(a.view(4))),
      clone: run((a) => a.mul_(a.clone())),
      pow: run((a) => a.pow_(a)),
      atan2: run((a) => a.atan2_(a)),
      addcmul: run((a) => a.addcmul_(a, a)),
      lerp: run((a) => a.lerp_(torch.ones(4), a)),
      sub: run((a) => a.sub_(a, { alpha: 3 })),
      maximum: run((a) => a.clamp_({ min: a })),
      copy: run((a) => a.copy_(a)),
    };
  },
});

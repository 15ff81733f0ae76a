// Gradients: where they go, how they add up, what is refused. The programs are those of scripts/semantics/autograd.py.
import torch, { autograd, F, nn, type Tensor } from 'flambeau';
import { fill, ramp } from '../nn/module_support';
import { error, floats, kind, leaf, programs } from './support';

const { functional } = autograd;

/** The gradient of the sum of f(x). */
function gradientOf(f: (x: Tensor) => Tensor, ...values: number[]): Tensor | null {
  const x = leaf(values);
  f(x).sum().backward();
  return x.grad;
}

programs('autograd', {
  accumulation() {
    const x = leaf([1, 2]);
    const noneBefore = x.grad === null;
    x.mul(x).sum().backward();
    const once = x.grad!.clone();
    x.mul(3).sum().backward();
    const same = x.grad;
    const twice = x.grad!.clone();
    x.mul(1).sum().backward();
    return { noneBefore, once, twice, inPlace: same === x.grad, thrice: x.grad };
  },

  accumulationWithCreateGraph() {
    const x = leaf([2]);
    x.mul(x).sum().backward({ createGraph: true });
    const first = x.grad!;
    x.mul(x).mul(x).sum().backward({ createGraph: true });
    return { same: first === x.grad, first, total: x.grad, requires: x.grad!.requiresGrad };
  },

  givenGradients() {
    const x = leaf([1, 2]);
    x.grad = floats(10, 20);
    x.mul(2).sum().backward();
    return {
      grad: x.grad,
      shape: error(() => {
        x.grad = torch.ones(3);
      }),
      self: error(() => {
        x.grad = x;
      }),
      kind: kind(() => {
        x.grad = 3 as never;
      }),
    };
  },

  retainGraph() {
    const x = leaf([1, 2]);
    const y = x.mul(x).sum();
    y.backward();
    const failed = error(() => y.backward());
    const z = x.mul(x).sum();
    z.backward({ retainGraph: true });
    z.backward();
    return { error: failed, grad: x.grad };
  },

  freedParts() {
    const x = leaf([1, 2]);
    const h = x.exp();
    const [a, b] = [h.sum(), h.mul(2).sum()];
    a.backward();
    const shared = error(() => b.backward());
    const linear = x.add(1).sum();
    linear.backward();
    return { shared, linear: error(() => linear.backward()), grad: x.grad };
  },

  nonScalar() {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const first = error(() => y.backward());
    y.backward(floats(1, 10));
    return {
      error: first,
      grad: x.grad,
      wrongShape: error(() => x.mul(2).backward(torch.ones(3))),
      oneElement: error(() => x.narrow(0, 0, 1).mul(2).backward()),
      after: x.grad,
    };
  },

  leavesAndFlags() {
    const x = torch.ones(2, { requiresGrad: true });
    const y = x.mul(2);
    const z = torch.ones(2);
    return {
      leaf: [x.isLeaf, y.isLeaf, z.isLeaf, z.add(z).isLeaf],
      requires: [y.requiresGrad, z.add(x).requiresGrad, z.add(z).requiresGrad],
      gradFn: [x.gradFn === null, y.gradFn !== null, z.gradFn === null],
      comparison: x.gt(0).requiresGrad,
      argmax: x.argmax().requiresGrad,
      toInt: x.to(torch.int64).requiresGrad,
      intError: error(() => torch.ones(2, { dtype: torch.int64, requiresGrad: true })),
      intFlag: error(() => torch.ones(2, { dtype: torch.int64 }).requiresGrad_()),
      clearNonLeaf: error(() => y.requiresGrad_(false)),
      setNonLeaf: y.requiresGrad_().requiresGrad,
      detached: [y.detach().requiresGrad, y.detach().isLeaf],
    };
  },

  detach() {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const d = y.detach();
    d.select(0, 0).fill_(100);
    x.mul(d).sum().backward();
    return { ySeesWrite: y, grad: x.grad, flags: [d.requiresGrad, d.isLeaf] };
  },

  detachInPlace() {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    y.detach_();
    y.mul(x).sum().backward();
    return {
      leaf: y.isLeaf,
      gradFn: y.gradFn === null,
      grad: x.grad,
      view: error(() => x.mul(2).select(0, 0).detach_()),
    };
  },

  modes() {
    const x = leaf([1]);
    const seen: boolean[] = [];
    try {
      torch.noGrad(() => {
        seen.push(x.mul(2).requiresGrad);
        torch.enableGrad(() => seen.push(x.mul(2).requiresGrad));
        torch.setGradEnabled(false, () => seen.push(torch.isGradEnabled()));
        throw new Error('x');
      });
    } catch {
      seen.push(torch.isGradEnabled());
    }
    torch.noGrad(() => {
      const fresh = new nn.Parameter(torch.ones(1));
      seen.push(fresh.requiresGrad, torch.ones(1, { requiresGrad: true }).requiresGrad);
    });
    return { seen };
  },

  inference() {
    const x = leaf([1, 2]);
    let inside: boolean[] = [];
    let normal = x;
    const y = torch.inferenceMode(() => {
      const made = x.mul(2);
      inside = [made.requiresGrad, made.isInference(), x.isInference(), torch.isInferenceModeEnabled()];
      made.add_(1);
      normal = torch.inferenceMode(false, () => torch.ones(2));
      return made;
    });
    return {
      inside,
      normal: normal.isInference(),
      y: y.clone(),
      version: error(() => y._version),
      inPlaceOutside: error(() => y.add_(1)),
      saved: error(() => x.mul(y)),
      sum: y.add(1).requiresGrad,
      clone: y.clone().isInference(),
      flag: error(() => y.requiresGrad_()),
    };
  },

  broadcasting() {
    const a = ramp(2, 1, 3).requiresGrad_();
    const b = ramp(4, 1).add(1).requiresGrad_();
    const c = torch.tensor(2, { dtype: torch.float32, requiresGrad: true });
    a.mul(b).add(c.div(b)).sum().backward();
    return { a: a.grad, b: b.grad, c: c.grad };
  },

  mixedTypes() {
    const a = leaf([1, 2]);
    const b = leaf([3, 4], torch.float64);
    const h = leaf([0.5, 0.25], torch.float16);
    a.mul(b)
      .mul(h)
      .add(torch.tensor([1n, 2n]))
      .sum()
      .backward();
    return { a: a.grad, b: b.grad, h: h.grad };
  },

  gradFunction() {
    const x = leaf([1, 2]);
    const unused = leaf([5]);
    const g = autograd.grad(x.mul(x).sum(), x);
    const gradNone = x.grad === null;
    const z = x.mul(x).sum();
    const h = x.mul(3);
    return {
      g,
      gradNone,
      unused: error(() => autograd.grad(z, [x, unused], { retainGraph: true })),
      allowed: autograd.grad(z, [x, unused], { retainGraph: true, allowUnused: true }),
      zeros: autograd.grad(z, [x, unused], { retainGraph: true, materializeGrads: true }),
      contradiction: error(() => autograd.grad(z, [x], { allowUnused: false, materializeGrads: true })),
      noHistory: error(() => autograd.grad(torch.ones(1), x)),
      inputWithout: error(() => autograd.grad(z, torch.ones(1))),
      several: autograd.grad([x.mul(2), x.mul(x)], x, [torch.ones(2), floats(1, 10)]),
      intermediate: autograd.grad(h.mul(h).sum(), [h, x]),
    };
  },

  inputsOfBackward() {
    const a = leaf([2]);
    const b = leaf([3]);
    const h = a.mul(b);
    h.mul(h)
      .sum()
      .backward({ inputs: [a, h] });
    return { a: a.grad, bNone: b.grad === null, h: h.grad, empty: error(() => a.mul(b).backward({ inputs: [] })) };
  },

  retained() {
    const x = leaf([1, 2]);
    const y = x.mul(3);
    y.retainGrad();
    const z = y.mul(y).sum();
    z.backward({ retainGraph: true });
    const first = y.grad!.clone();
    z.backward();
    return {
      first,
      second: y.grad,
      flags: [y.retainsGrad, x.retainsGrad],
      error: error(() => torch.ones(1).retainGrad()),
    };
  },

  severalRoots() {
    const a = leaf([1, 2]);
    autograd.backward([a.mul(a).sum(), a.mul(3)], [null, floats(1, 10)]);
    const b = leaf([2]);
    const h = b.mul(b);
    autograd.backward([h.sum(), h.mul(5).sum()]);
    return { a: a.grad, b: b.grad, count: error(() => autograd.backward([a.sum(), a.sum()], [null])) };
  },

  tiesAndCorners() {
    const of = gradientOf;
    return {
      abs: of(torch.abs, -1, 0, 2),
      relu: of(torch.relu, -1, 0, 2),
      sqrt: of(torch.sqrt, 0, 4),
      clamp: of((x) => x.clamp(0, 1), -1, 0, 0.5, 1, 2),
      amax: of((x) => x.amax(), 3, 1, 3),
      max: of((x) => x.max() as Tensor, 3, 1, 3),
      maxDim: of((x) => x.max(0).values, 3, 1, 3),
      maximum: of((x) => torch.maximum(x, torch.ones(3)), 0, 1, 2),
      norm: of((x) => torch.norm(x), 0, 0),
      prod: of((x) => x.prod(), 2, 0, 3),
      prodZeros: of((x) => x.prod(), 0, 0, 3),
      cumprod: of((x) => x.cumprod(0), 2, 0, 3),
      powZero: of((x) => x.pow(0), 0, 2),
      powTwo: of((x) => x.pow(2), 0, 2),
      median: of((x) => x.median() as Tensor, 1, 3, 3, 2),
      sort: of((x) => x.sort().values.mul(torch.arange(3)), 2, 1, 2),
      std: of((x) => x.std(), 1, 1),
      sign: of(torch.sign, -1, 0),
      round: of((x) => x.round(), 0.5, 1.7),
      hardtanh: of((x) => F.hardtanh(x), -1, 1, 0.5),
      where: of((x) => torch.where(x.gt(0), x.sqrt(), torch.zeros(2)) as Tensor, 4, 0),
    };
  },

  repeatedIndices() {
    const x = ramp(4).requiresGrad_();
    x.index(torch.tensor([1n, 1n, 3n]))
      .mul(floats(1, 10, 100))
      .sum()
      .backward();
    const y = ramp(2, 2).requiresGrad_();
    y.expand(3, 2, 2)
      .mul(ramp(3, 2, 2))
      .sum()
      .backward();
    const z = ramp(3).requiresGrad_();
    z.asStrided([2, 2], [1, 1]).mul(ramp(2, 2)).sum().backward();
    const u = ramp(5).requiresGrad_();
    u.unfold(0, 3, 1).mul(ramp(3, 3)).sum().backward();
    return { index: x.grad, expand: y.grad, strided: z.grad, unfold: u.grad };
  },

  complexNumbers() {
    const pairs = torch.tensor([
      [1, 2],
      [-0.5, 0.25],
    ]);
    const z = torch.viewAsComplex(pairs).requiresGrad_();
    z.mul(z.conj()).real.sum().backward();
    const square = torch.viewAsReal(z.grad!).clone();
    z.grad = null;
    z.mul(torch.viewAsComplex(floats(2, 1)))
      .exp()
      .imag.sum()
      .backward();
    const x = leaf([0.5, 2]);
    torch.complex(x, x.mul(x)).abs().sum().backward();
    return {
      square,
      exp: torch.viewAsReal(z.grad!),
      real: x.grad,
      scalar: error(() => z.mul(z).sum().backward()),
    };
  },

  createGraph() {
    const x = leaf([1, 2]);
    x.pow(4).sum().backward({ createGraph: true });
    const first = x.grad!;
    x.grad = null;
    first.pow(2).sum().backward();
    return { first, second: x.grad };
  },

  gradientPenalty() {
    const net = fill(new nn.Sequential(new nn.Linear(2, 3), new nn.Tanh(), new nn.Linear(3, 1)));
    const x = ramp(4, 2).requiresGrad_();
    const [g] = autograd.grad((net(x) as Tensor).sum(), x, { createGraph: true });
    g!.norm({ dim: 1 }).sub(1).pow(2).mean().backward();
    return { grads: [...net.parameters()].map((p) => p.grad), x: x.grad };
  },

  functionalDerivatives() {
    const x = floats(1, 2, 3);
    const v = floats(1, -1, 0.5);
    const at = (t: Tensor, i: number): Tensor => t.select(0, i);
    const f = (t: Tensor): Tensor =>
      t
        .pow(3)
        .sum()
        .add(at(t, 0).mul(at(t, 1)));
    const g = (t: Tensor): Tensor => torch.stack([at(t, 0).mul(at(t, 1)), at(t, 1).exp(), t.sum()]);
    return {
      jacobian: functional.jacobian(g, x),
      hessian: functional.hessian(f, x),
      vjp: functional.vjp(g, x, v),
      jvp: functional.jvp(g, x, v),
      hvp: functional.hvp(f, x, v),
      vhp: functional.vhp(f, x, v),
      vector: error(() => functional.hessian(g, x)),
      strict: error(() => functional.jacobian(() => torch.ones(2), x, { strict: true })),
      loose: functional.jacobian(() => torch.ones(2), x),
    };
  },

  thirdDerivative() {
    const x = leaf([0.5]);
    let out = x.pow(5).sum();
    const found = Array.from({ length: 4 }, () => {
      out = autograd.grad(out, x, { createGraph: true })[0]!;
      return out;
    });
    return { found };
  },

  graphNames() {
    const x = leaf([1, 2]);
    const y = x.mul(2).relu().view(1, 2).sum();
    const chain: string[] = [];
    for (let node = y.gradFn; node !== null; node = node.nextFunctions[0]?.[0] ?? null) chain.push(node.name());
    const named: [string, Tensor][] = [
      ['exp', x.exp()],
      ['matmul', x.matmul(x)],
      ['index', x.index(0)],
      ['pow', x.pow(2)],
      ['neg', x.neg()],
      ['mean', x.mean()],
      ['cat', torch.cat([x, x])],
      ['clone', x.clone()],
      ['expand', x.expand(2, 2)],
      ['softmax', x.softmax(0)],
      ['t', x.view(1, 2).t()],
    ];
    return { chain, text: named.map(([k, v]) => [k, v.gradFn!.name()]) };
  },
});

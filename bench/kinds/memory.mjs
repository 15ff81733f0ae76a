// Work that waits for memory: one pass over tensors larger than the caches.
const unary = {
  relu: (torch) => torch.relu,
  sigmoid: (torch) => torch.sigmoid,
  tanh: (torch) => torch.tanh,
  exp: (torch) => torch.exp,
  gelu: ({ nn }) => nn.functional.gelu,
  gelu_tanh:
    ({ nn }) =>
    (x) =>
      nn.functional.gelu(x, { approximate: 'tanh' }),
  silu: ({ nn }) => nn.functional.silu,
  clone: () => (x) => x.clone(),
  neg: (torch) => torch.neg,
};

/** One function of one tensor of n elements. */
function pointwise(torch, { op, n }) {
  const x = torch.randn(n);
  const f = unary[op](torch);
  return () => f(x);
}

/** `op` ('add', 'mul', ...) of two tensors of n elements; with `inPlace` the first is overwritten. */
function binary(torch, { op, n, inPlace = false }) {
  const [a, b] = [torch.randn(n), torch.randn(n)];
  return inPlace ? () => a[`${op}_`](b) : () => torch[op](a, b);
}

/** A tensor of n elements converted from one type to another. */
function cast(torch, { from, to, n }) {
  const x = torch.randn(n).to(torch[from]);
  return () => x.to(torch[to]);
}

/** A reduction of x: [rows, columns] over all of it (`dim` null) or a dimension. */
function reduction(torch, { op, rows, columns, dim = null }) {
  const x = torch.randn(rows, columns);
  return dim === null ? () => torch[op](x) : () => torch[op](x, dim);
}

const normalizations = {
  softmax: ({ nn }, x) => nn.functional.softmax(x, { dim: 1 }),
  log_softmax: ({ nn }, x) => nn.functional.logSoftmax(x, { dim: 1 }),
  layer_norm: ({ nn }, x, [w, b]) => nn.functional.layerNorm(x, [x.shape[1]], w, b),
  batch_norm: ({ nn }, x, [w, b]) => nn.functional.batchNorm(x, null, null, w, b, true),
  group_norm: ({ nn }, x, [w, b]) => nn.functional.groupNorm(x, 8, w, b),
  cross_entropy: ({ nn }, x, [, , target]) => nn.functional.crossEntropy(x, target),
};

/** A normalisation of the rows of x, or of its channels, and with `backward` its gradients alone. */
function normalization(torch, { op, shape, backward = false }) {
  const x = torch.randn(...shape);
  const parts = [torch.ones(shape[1]), torch.zeros(shape[1]), torch.randint(0, shape[1], [shape[0]])];
  const f = () => normalizations[op](torch, x, parts);
  if (!backward) return () => torch.noGrad(f);
  const wanted = [x.requiresGrad_()];
  if (op.endsWith('norm')) for (const part of parts.slice(0, 2)) wanted.push(part.requiresGrad_());
  const out = f();
  const g = torch.randn(...out.shape);
  return () => torch.autograd.grad(out, wanted, g, { retainGraph: true });
}

/** A step of an optimizer over the parameters of a network of `layers` layers of width x width. */
function optimizer(torch, { name, options, width, layers }) {
  const parameters = [];
  for (let i = 0; i < layers; i++) {
    for (const shape of [[width, width], [width]]) {
      const p = new torch.nn.Parameter(torch.randn(...shape));
      p.grad = torch.randn(...shape);
      parameters.push(p);
    }
  }
  const stepper = new torch.optim[name](parameters, options);
  return () => stepper.step();
}

export const kinds = { pointwise, binary, cast, reduction, normalization, optimizer };

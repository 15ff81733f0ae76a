// Single operations: what a call costs (16 elements) and what the kernels do (a million).
const add = (n) => (torch) => {
  const [a, b] = [torch.randn(n), torch.randn(n)];
  return () => torch.add(a, b);
};

const matmul = (n) => (torch) => {
  const [a, b] = [torch.randn(n, n), torch.randn(n, n)];
  return () => torch.matmul(a, b);
};

const MILLION = 1 << 20;
const of =
  (...shape) =>
  (work) =>
  (torch) => {
    const x = torch.randn(...shape);
    return () => work(torch, x);
  };
const square = of(1024, 1024);
const line = of(MILLION);

export const basics = [
  { name: 'add16', about: 'a + b of 16 float32', make: add(16), inner: 500 },
  { name: 'add_1m', about: 'a + b of 2^20 float32', make: add(MILLION) },
  { name: 'exp_1m', about: 'exp of 2^20 float32', make: line((torch, x) => torch.exp(x)) },
  { name: 'gelu_1m', about: 'exact GELU of 2^20 float32', make: line((torch, x) => torch.nn.functional.gelu(x)) },
  { name: 'sum_1m', about: 'sum of 2^20 float32', make: line((torch, x) => torch.sum(x)) },
  {
    name: 'softmax_1024',
    about: 'softmax of the rows of 1024 x 1024',
    make: square((torch, x) => torch.softmax(x, 1)),
  },
  {
    name: 'layer_norm_1024',
    about: 'layer norm of the rows of 1024 x 1024',
    make: square((torch, x) => torch.nn.functional.layerNorm(x, [1024])),
  },
  { name: 'matmul64', about: '64 x 64 times 64 x 64', make: matmul(64), inner: 20, flops: 2 * 64 ** 3 },
  { name: 'matmul512', about: '512 x 512 times 512 x 512', make: matmul(512), flops: 2 * 512 ** 3 },
  { name: 'matmul1024', about: '1024 x 1024 times 1024 x 1024', make: matmul(1024), flops: 2 * 1024 ** 3 },
];

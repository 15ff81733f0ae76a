// Errors in PyTorch's words, as its CPU gives them, where the words depend on types and settings.
import torch, { F, nn, optim, type Tensor } from 'flambeau';

const typed = (dtype: torch.DType, ...shape: number[]) => torch.ones(shape, { dtype });
const at = (...indices: number[]) => torch.tensor(indices.map(BigInt));
const scalar = torch.tensor(3);
const table = torch.ones(3, 2);
const q = torch.ones(1, 1, 2, 4);
const image = (dtype: torch.DType) => typed(dtype, 1, 1, 2, 2);
const kernel = (dtype: torch.DType) => typed(dtype, 1, 1, 1, 1);
const attend = (k: Tensor, attnMask: Tensor | null = null) => F.scaledDotProductAttention(q, k, q, { attnMask });
const one = () => new optim.SGD([new nn.Parameter(torch.ones(1))], { lr: 0.1 });
const rates = optim.lrScheduler;
const [f32, f64, f16, bf16] = [torch.float32, torch.float64, torch.float16, torch.bfloat16];

const indices = (which: number, type: string, fn: string) =>
  `Expected tensor for argument #${which} 'indices' to have one of the following scalar types: Long, Int; but got ${type} ` +
  `instead (while checking arguments for ${fn})`;

const refused: [call: () => unknown, message: string][] = [
  [
    () => scalar.index(0),
    'invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to ' +
      'a number',
  ],
  [() => scalar.index(torch.slice(0, 1)), 'slice() cannot be applied to a 0-dim tensor.'],
  [() => scalar.index(0, 0), 'too many indices for tensor of dimension 0'],
  [() => torch.ones(2).index(0, 0), 'too many indices for tensor of dimension 1'],
  [() => new nn.Embedding(3, 2)(torch.ones(2)), indices(1, 'torch.FloatTensor', 'embedding')],
  [() => new nn.Embedding(3, 2)(typed(torch.bool, 2)), indices(1, 'CPUBoolType', 'embedding')],
  [() => F.embedding(typed(f16, 2), table), indices(1, 'torch.HalfTensor', 'embedding')],
  [() => F.embedding(typed(bf16, 2), table), indices(1, 'CPUBFloat16Type', 'embedding')],
  [() => F.embedding(torch.ones(2), table, { maxNorm: 1 }), indices(2, 'torch.FloatTensor', 'embedding_renorm_')],
  [
    () => F.embedding(at(1), table.long(), { maxNorm: 1 }),
    'norm(): input dtype should be either floating point or complex. Got Long instead.',
  ],
  [() => F.embeddingBag(torch.ones(2, 2), table), indices(1, 'torch.FloatTensor', 'embedding_bag')],
  [() => F.embeddingBag(at(1, 2), table, torch.tensor([0])), indices(1, 'torch.FloatTensor', 'embedding_bag')],
  [
    () => F.embeddingBag(at(1, 2).unsqueeze(0), table.long()),
    "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, Float, Double; but " +
      'got torch.LongTensor instead (while checking arguments for embedding_bag)',
  ],
  [
    () => torch.ones(3).indexPut_([at(0)], typed(f64, 1)),
    'Index put requires the source and destination dtypes match, got Float for the destination and Double for the source.',
  ],
  [
    () => attend(q.double()),
    'Expected query, key, and value to have the same dtype, but got query.dtype: float key.dtype: double and value.dtype: ' +
      'float instead.',
  ],
  [
    () => attend(q, typed(torch.int64, 2, 2)),
    'Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: long int and  ' +
      'query.dtype: float instead.',
  ],
  [
    () => F.scaledDotProductAttention(torch.ones(2), torch.ones(2), torch.ones(2)),
    'Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: 1 key.dim: 1 and value.dim: 1 ' +
      'instead.',
  ],
  [() => new nn.Conv2d(1, 1, 1)(image(f64)), 'Input type (double) and bias type (float) should be the same'],
  [() => new nn.Conv2d(1, 1, 1)(image(torch.int64)), 'Input type (long int) and bias type (float) should be the same'],
  [() => new nn.Conv2d(1, 1, 1, { bias: false })(image(f64)), 'expected scalar type Double but found Float'],
  [() => F.conv2d(image(f32), kernel(f64)), 'expected scalar type Float but found Double'],
  [
    () => F.conv2d(image(f32), kernel(f32), typed(f64, 1)),
    'Input type (float) and bias type (double) should be the same',
  ],
  [
    () => F.conv2d(image(torch.complex64), kernel(f32)),
    'Input type (CPUComplexFloatType) and weight type (torch.FloatTensor) should be the same',
  ],
  [
    () => F.conv2d(image(bf16), kernel(f32)),
    'Input type (CPUBFloat16Type) and weight type (torch.FloatTensor) should be the same or input should be a MKLDNN tensor ' +
      'and weight is a dense tensor',
  ],
  [() => new nn.ConvTranspose2d(1, 1, 1)(image(f64)), 'expected scalar type Double but found Float'],
  [() => new rates.LambdaLR(one(), [() => 1, () => 1]), 'Expected 1 lr_lambdas, but got 2'],
  [
    () => new rates.StepLR(one(), 1, { lastEpoch: 3 }),
    "param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0.\nThis typically " +
      "happens when:\n1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n" +
      "2. You're using last_epoch >= 0 for a fresh training run (not recommended)",
  ],
  [() => new rates.OneCycleLR(one(), 1), 'You must define either total_steps OR (epochs AND steps_per_epoch)'],
  [() => new rates.CosineAnnealingWarmRestarts(one(), 0), 'Expected positive integer T_0, but got 0'],
];

test.each(refused)('%#', (call, message) => {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expect((thrown as Error).message).toBe(message);
  expect(thrown instanceof torch.RuntimeError || thrown instanceof RangeError).toBe(true);
});

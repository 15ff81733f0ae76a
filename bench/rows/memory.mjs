// Work that waits for memory, with the bytes that must move: each operand read once, each result written once. The tensors
// are larger than the last cache.
const N = 1 << 24;
const [ROWS, COLUMNS] = [16384, 1024];

const row = (name, about, kind, args, bytes, more = {}) => ({
  name,
  group: 'memory-bound',
  about,
  kind,
  args,
  bytes,
  ...more,
});

const pointwise = (op) => row(`${op}_16m`, `${op} of 2^24 float32`, 'pointwise', { op, n: N }, 8 * N);
const BYTES = { float32: 4, float64: 8, bfloat16: 2, float16: 2 };
const cast = (from, to) =>
  row(`cast_${from}_${to}`, `2^24 ${from} to ${to}`, 'cast', { from, to, n: N }, (BYTES[from] + BYTES[to]) * N);
const reduction = (op, dim = null) =>
  row(
    `${op}_16m${dim === null ? '' : `_dim${dim}`}`,
    `${op} of 16384 x 1024 float32${dim === null ? '' : ` over dimension ${dim}`}`,
    'reduction',
    { op, rows: ROWS, columns: COLUMNS, dim },
    4 * N,
    { reads: true },
  );
const IMAGES = [32, 64, 64, 64];
/** Forward: reads x, writes y. Backward: reads x (or y) and the gradient, writes the gradient. */
function normalization(op, shape = [ROWS, COLUMNS]) {
  const n = shape.reduce((a, b) => a * b);
  const loss = op === 'cross_entropy';
  const of = shape.length === 2 ? '16384 x 1024' : '32 x 64 x 64 x 64';
  return [
    row(`${op}_f`, `${op} of ${of}`, 'normalization', { op, shape }, (loss ? 4 : 8) * n, { reads: loss }),
    row(`${op}_b`, `its gradients`, 'normalization', { op, shape, backward: true }, (loss ? 8 : 12) * n),
  ];
}

/** Bytes of a step per parameter: reads it, its gradient and the moments, writes all but the gradient. */
function optimizer(name, options, moments) {
  const [width, layers] = [1024, 16];
  const parameters = layers * (width * width + width);
  return row(
    `${name.toLowerCase()}${Object.keys(options).length > 1 ? '_momentum' : ''}_step`,
    `a step over 16.8 million parameters in 32 tensors`,
    'optimizer',
    { name, options, width, layers },
    4 * parameters * (3 + 2 * moments),
    { group: 'optimizers' },
  );
}

export const rows = [
  ...['clone', 'neg', 'relu', 'sigmoid', 'tanh', 'exp', 'gelu', 'gelu_tanh', 'silu'].map(pointwise),
  row('add_16m', 'a + b of 2^24 float32', 'binary', { op: 'add', n: N }, 12 * N),
  row('mul_16m', 'a * b of 2^24 float32', 'binary', { op: 'mul', n: N }, 12 * N),
  row('add_16m_', 'a += b of 2^24 float32', 'binary', { op: 'add', n: N, inPlace: true }, 12 * N),
  row('add_1m', 'a + b of 2^20 float32, which fit in the last cache', 'binary', { op: 'add', n: 1 << 20 }, null),
  cast('float32', 'bfloat16'),
  cast('bfloat16', 'float32'),
  cast('float32', 'float16'),
  cast('float16', 'float32'),
  cast('float32', 'float64'),
  ...['sum', 'mean', 'amax', 'var', 'argmax'].map((op) => reduction(op)),
  ...['sum', 'amax'].flatMap((op) => [reduction(op, 0), reduction(op, 1)]),
  ...['softmax', 'log_softmax', 'layer_norm', 'cross_entropy'].flatMap((op) => normalization(op)),
  ...normalization('batch_norm', IMAGES),
  ...normalization('group_norm', IMAGES),
  optimizer('SGD', { lr: 1e-3 }, 0),
  optimizer('SGD', { lr: 1e-3, momentum: 0.9 }, 1),
  optimizer('Adam', { lr: 1e-3 }, 2),
  optimizer('AdamW', { lr: 1e-3 }, 2),
];

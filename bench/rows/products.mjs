// Matrix products: squares, the shapes of a transformer, the four transpositions, batches, bfloat16.
const row = (name, about, args, more = {}) => ({
  name,
  group: 'matrix products',
  about,
  kind: 'matmul',
  args,
  flops: 2 * args.m * args.n * args.k * (args.batch ?? 1),
  ...more,
});

const square = (n) =>
  row(`matmul${n}`, `${n} x ${n} times ${n} x ${n}, float32`, { m: n, n, k: n }, { inner: n < 256 ? 20 : 1 });

const layer = (m, k, n) => row(`matmul_${m}x${k}x${n}`, `${m} x ${k} times ${k} x ${n}, float32`, { m, n, k });
const LAYERS = [
  [768, 768],
  [768, 3072],
  [3072, 768],
];

const transposed = (n, ta, tb) =>
  row(
    `matmul${n}_${ta ? 't' : 'n'}${tb ? 't' : 'n'}`,
    `${n} squared, ${ta ? 'A transposed' : 'A'}, ${tb ? 'B transposed' : 'B'}`,
    {
      m: n,
      n,
      k: n,
      ta,
      tb,
    },
  );

const half = (n) =>
  row(`matmul${n}_bf16`, `${n} squared, bfloat16`, { m: n, n, k: n, dtype: 'bfloat16' }, { peak: 'bfloat16' });

export const rows = [
  ...[64, 128, 256, 512, 1024, 2048].map(square),
  ...[1, 8, 128, 1024].flatMap((m) => LAYERS.map(([k, n]) => layer(m, k, n))),
  ...[512, 1024].flatMap((n) => [transposed(n, false, true), transposed(n, true, false), transposed(n, true, true)]),
  row('bmm_scores', '96 products of 128 x 64 times 64 x 128, B transposed', {
    m: 128,
    n: 128,
    k: 64,
    batch: 96,
    tb: true,
  }),
  row('bmm_values', '96 products of 128 x 128 times 128 x 64', { m: 128, n: 64, k: 128, batch: 96 }),
  ...[256, 1024, 2048].map(half),
  row('matmul1024_high', "1024 squared, float32 with setFloat32MatmulPrecision('high')", {
    m: 1024,
    n: 1024,
    k: 1024,
    precision: 'high',
  }),
];

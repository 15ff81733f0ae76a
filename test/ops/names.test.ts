// Ops that are another name, or another form, of ops that have tests of their own: that they are what they claim to be.
import torch, { F, type Tensor } from 'flambeau';

const close = (a: Tensor, b: Tensor) => expect(torch.allclose(a, b, { rtol: 1e-4, atol: 1e-5 })).toBe(true);
const matrix = () =>
  torch.tensor(
    [
      [4, 1, 0.5],
      [1, 3, 0.2],
      [0.5, 0.2, 2],
    ],
    { dtype: torch.float64 },
  );

test('logdet is the logarithm of det', () => close(torch.logdet(matrix()), torch.det(matrix()).log()));

test('pinverse of a regular matrix is its inverse', () => {
  close(torch.pinverse(matrix()).matmul(matrix()), torch.eye(3, { dtype: torch.float64 }));
});

test('orgqr and ormqr are the product of the reflectors that geqrf leaves', () => {
  const [a, tau] = torch.geqrf(matrix()) as unknown as [Tensor, Tensor];
  const q = torch.orgqr(a, tau);
  close(q.t().matmul(q), torch.eye(3, { dtype: torch.float64 }));
  close(torch.ormqr(a, tau, matrix()), q.matmul(matrix()));
});

test('luUnpack takes apart what lu packs', () => {
  const [packed, pivots] = torch.lu(matrix()) as unknown as [Tensor, Tensor];
  const [p, l, u] = torch.luUnpack(packed, pivots) as unknown as [Tensor, Tensor, Tensor];
  close(p.matmul(l).matmul(u), matrix());
});

test('triangularSolve solves with the upper triangle', () => {
  const a = matrix().triu();
  const b = torch.ones(3, 2, { dtype: torch.float64 });
  const [x] = torch.triangularSolve(b, a) as unknown as [Tensor, Tensor];
  close(a.matmul(x), b);
});

test('nuclearNorm is the sum of the singular values', () => {
  close(torch.nuclearNorm(matrix()), torch.linalg.svdvals(matrix()).sum());
});

test('rrelu in evaluation is leakyRelu with the middle of its slopes', () => {
  const x = torch.tensor([-2, -0.5, 0, 3]);
  close(torch.rrelu(x, 0.1, 0.3, false), F.leakyRelu(x, 0.2));
});

test('alphaDropout and featureAlphaDropout of nothing change nothing', () => {
  const x = torch.tensor([[1, -2, 3]]);
  close(torch.alphaDropout(x, 0, true), x);
  close(torch.alphaDropout_(x.clone(), 0, true), x);
  close(torch.featureAlphaDropout(x, 0, true), x);
  close(torch.featureAlphaDropout_(x.clone(), 0, true), x);
  expect(torch.dropout_(x.clone(), 1, true).abs().sum().item()).toBe(0);
});

test('convTbc is conv1d with time first', () => {
  const x = torch.arange(24).to(torch.float32).view(4, 2, 3); // [T, B, C]
  const w = torch.arange(18).to(torch.float32).view(3, 3, 2).div(10); // [K, C, O]
  const expected = F.conv1d(x.permute(1, 2, 0), w.permute(2, 1, 0), torch.zeros(2), { padding: 1 }).permute(2, 0, 1);
  close(torch.convTbc(x, w, torch.zeros(2), 1), expected);
});

test('nativeChannelShuffle is channelShuffle', () => {
  const x = torch.arange(8).to(torch.float32).view(1, 4, 1, 2);
  close(torch.nativeChannelShuffle(x, 2), torch.channelShuffle(x, 2));
});

test('histogramdd counts every point once', () => {
  const points = torch.tensor([
    [0, 0],
    [0.5, 0.5],
    [1, 1],
    [0.2, 0.9],
  ]);
  const [counts] = torch.histogramdd(points, [2, 2]) as unknown as [Tensor];
  expect(counts.sum().item()).toBe(4);
});

test('randLike and randnLike draw what rand and randn draw, with the shape and type of another tensor', () => {
  const like = torch.zeros(3, 5, { dtype: torch.float64 });
  for (const [same, plain] of [
    [() => torch.randLike(like), () => torch.rand(3, 5, { dtype: torch.float64 })],
    [() => torch.randnLike(like), () => torch.randn(3, 5, { dtype: torch.float64 })],
  ] as const) {
    torch.manualSeed(3);
    const found = same();
    torch.manualSeed(3);
    expect(found.tolist()).toEqual(plain().tolist());
    expect(found.dtype).toBe(torch.float64);
  }
});

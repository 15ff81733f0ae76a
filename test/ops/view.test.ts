// Views: the rows of the table, and the memory that they share.
import torch, { type Tensor } from 'flambeau';
import { checkFile } from './structured';
import { expectSame } from './support';
import { rows } from './table/view';

checkFile('view', rows);

const ramp = (): Tensor => torch.arange(24).reshape([2, 3, 4]).float().clone();

const VIEWS: readonly (readonly [name: string, make: (x: Tensor) => Tensor])[] = [
  ['view', (x) => x.view(6, 4)],
  ['reshape', (x) => x.reshape(4, 6)],
  ['flatten', (x) => x.flatten()],
  ['unflatten', (x) => x.unflatten(2, [2, 2])],
  ['permute', (x) => x.permute(2, 0, 1)],
  ['transpose', (x) => x.transpose(0, 1)],
  ['movedim', (x) => x.movedim(0, 2)],
  ['select', (x) => x.select(1, 2)],
  ['narrow', (x) => x.narrow(2, 1, 2)],
  ['squeeze', (x) => x.narrow(0, 0, 1).squeeze()],
  ['unsqueeze', (x) => x.unsqueeze(1)],
  ['diagonal', (x) => x.diagonal(0, 1, 2)],
  ['unfold', (x) => x.unfold(2, 2, 2)],
  ['asStrided', (x) => x.asStrided([2, 2], [12, 1], 3)],
  ['expand of its own sizes', (x) => x.expand(2, 3, 4)],
];

describe.each(VIEWS)('%s', (_name, make) => {
  test('shares memory and version with its source, in both directions', () => {
    const x = ramp();
    const view = make(x);
    const version = x._version;
    view.add_(100);
    expect([x._version, view._version]).toEqual([version + 1, version + 1]);
    expect(x.gt(99).sum().item()).toBe(view.numel());
    expectSame(make(x), view);
    x.zero_();
    expect(view.abs().sum().item()).toBe(0);
  });
  test('passes a change in place on to the gradient of its source', () => {
    const leaf = ramp().requiresGrad_();
    const x = leaf.mul(1);
    make(x).mul_(3);
    x.sum().backward();
    expect(leaf.grad!.sub(1).div(2).sum().item()).toBe(make(ramp()).numel());
  });
});

test('a copy shares nothing', () => {
  const x = ramp();
  for (const copy of [
    x.clone(),
    x.narrowCopy(0, 0, 1),
    x.transpose(0, 2).contiguous(),
    x.transpose(0, 1).reshape(-1),
  ]) {
    copy.fill_(-1);
    expect(x.lt(0).any().item()).toBe(false);
  }
});
test('contiguous and reshape give the tensor itself, or its memory, where they can', () => {
  const x = ramp();
  expect(x.contiguous()).toBe(x);
  expect(x.reshape(6, 4).dataPtr()).toBe(x.dataPtr());
  expect(x.transpose(0, 1).isContiguous()).toBe(false);
});
test('view refuses what only a copy can do', () => {
  expect(() => ramp().transpose(0, 2).view(-1)).toThrow(
    "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
  );
});
test('the bytes are seen as another type', () => {
  const x = torch.tensor([1, -2]);
  expect(x.view(torch.int32).tolist()).toEqual([0x3f800000, -0x40000000]);
  expect(x.view(torch.uint8).shape).toEqual([8]);
  expect(x.view(torch.float64).shape).toEqual([1]);
  expect(() => torch.ones(3).view(torch.float64)).toThrow(torch.RuntimeError);
});

describe('the geometry changes in place by', () => {
  const changes: readonly (readonly [name: string, change: (x: Tensor) => Tensor, same: (x: Tensor) => Tensor])[] = [
    ['transpose_', (x) => x.transpose_(0, 2), (x) => x.transpose(0, 2)],
    ['swapaxes_', (x) => x.swapaxes_(0, 1), (x) => x.transpose(0, 1)],
    ['swapdims_', (x) => x.swapdims_(0, 1), (x) => x.transpose(0, 1)],
    ['t_', (x) => x.select(0, 0).t_(), (x) => x.select(0, 0).t()],
    ['squeeze_', (x) => x.narrow(0, 0, 1).squeeze_(0), (x) => x.select(0, 0)],
    ['unsqueeze_', (x) => x.unsqueeze_(1), (x) => x.unsqueeze(1)],
    ['asStrided_', (x) => x.asStrided_([4], [2], 1), (x) => x.asStrided([4], [2], 1)],
  ];
  test.each(changes)('%s', (_name, change, same) => {
    const x = ramp();
    const changed = change(x);
    expectSame(changed, same(ramp()));
    expect(changed.stride()).toEqual(same(ramp()).stride());
    expect(changed.dataPtr() - x.storageOffset() * 4).toBeGreaterThanOrEqual(0);
  });
  test('a size that does not fit leaves it as it was', () => {
    const x = ramp();
    expect(() => x.asStrided_([100], [1])).toThrow(torch.RuntimeError);
    expect(() => x.transpose_(0, 3)).toThrow(RangeError);
    expectSame(x, ramp());
  });
});
test('the properties that are views', () => {
  const m = torch.arange(6).reshape([2, 3]);
  const z = torch.tensor([1, 2]).add({ re: 0, im: 3 });
  expectSame(m.T, m.t());
  expectSame(m.mT, m.transpose(0, 1));
  expectSame(m.H, m.t());
  expect(z.imag.tolist()).toEqual([3, 3]);
  z.real.zero_();
  expect(z.tolist()).toEqual([
    [0, 3],
    [0, 3],
  ]);
  z.imag = torch.tensor([5, 6]);
  expect(z.imag.tolist()).toEqual([5, 6]);
  expectSame(torch.stack([z]).mH, torch.stack([z]).t().conj());
  expect(() => torch.ones(3).mT).toThrow(torch.RuntimeError);
});

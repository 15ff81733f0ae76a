// Tensors that change their size or memory in place, copies of views, questions about tensors.
import torch, { type Tensor } from 'flambeau';

describe('resize_', () => {
  test('keeps the first elements and drops or adds at the end', () => {
    const x = torch.arange(6);
    expect(x.resize_(2, 2)).toBe(x);
    expect(x.tolist()).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(x.resize_([3]).tolist()).toEqual([0, 1, 2]);
    x.resize_(2, 500);
    expect([x.shape, x.reshape(-1).narrow(0, 0, 6).tolist() as number[]]).toEqual([
      [2, 500],
      [0, 1, 2, 3, 4, 5],
    ]);
  });
  test('larger memory is seen by every view of the old one', () => {
    const x = torch.zeros(3);
    const view = x.narrow(0, 1, 2);
    x.resize_(10_000).fill_(7);
    expect(view.tolist()).toEqual([7, 7]);
    view.fill_(5);
    expect((x.tolist() as number[]).slice(0, 4)).toEqual([7, 5, 5, 7]);
  });
  test('a view grows beyond its end', () => {
    const x = torch.arange(6).reshape(2, 3);
    const row = x.select(0, 1);
    expect((row.resize_(4).tolist() as number[]).slice(0, 3)).toEqual([3, 4, 5]);
    expect(x.tolist()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });
  test('resizeAs_ takes the sizes of another, resize only reshapes', () => {
    expect(torch.rand(2).resizeAs_(torch.rand(3, 4)).shape).toEqual([3, 4]);
    expect(torch.arange(4).resize(2, 2).tolist()).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(torch.arange(4).resizeAs(torch.rand(4, 1)).shape).toEqual([4, 1]);
    expect(() => torch.rand(4).resize(3)).toThrow("autograd's resize can only change the shape of a given tensor");
  });
  test('what must not change is refused', () => {
    expect(() => torch.rand(2).requiresGrad_().resize_(3)).toThrow('cannot resize variables that require grad');
    expect(() => torch.rand(2).resize_(-1)).toThrow(torch.RuntimeError);
    expect(() => torch.rand(2).resize_(2 ** 40, 2 ** 40)).toThrow(torch.RuntimeError);
    const x = torch.rand(2);
    expect(() => x.resize_(2 ** 45)).toThrow();
    expect(x.shape).toEqual([2]);
  });
});

describe('set_ and storage', () => {
  test('makes a tensor a view of other memory', () => {
    const [x, y] = [torch.zeros(2), torch.arange(6, { dtype: torch.float32 })];
    x.set_(y);
    x.fill_(3);
    expect(y.tolist()).toEqual([3, 3, 3, 3, 3, 3]);
    x.set_(y.storage(), 1, [2, 2], [2, 1]);
    x.fill_(0);
    expect(y.tolist()).toEqual([3, 0, 0, 0, 0, 3]);
    expect(torch.zeros(3).set_().shape).toEqual([0]);
  });
  test('the old memory lives on in its other views', () => {
    const x = torch.ones(3);
    const view = x.narrow(0, 0, 2);
    x.set_(torch.zeros(1));
    expect([x.tolist(), view.tolist()]).toEqual([[0], [1, 1]]);
  });
  test('a storage knows its elements', () => {
    const x = torch.arange(6, { dtype: torch.float64 }).reshape(2, 3);
    const s = x.select(0, 1).storage();
    expect([s.size(), s.length, s.nbytes(), s.tolist()]).toEqual([6, 6, 48, [0, 1, 2, 3, 4, 5]]);
    expect(s.dataPtr()).toBe(x.storage().dataPtr());
    expect(s.toTypedArray()).toEqual(Float64Array.from([0, 1, 2, 3, 4, 5]));
  });
  test('other types and places outside are refused', () => {
    const x = torch.zeros(2);
    expect(() => x.set_(torch.zeros(2).double())).toThrow('Expected a Storage of type Float');
    expect(() => x.set_(torch.zeros(4).storage(), 2, [3])).toThrow('out of bounds');
    expect(() => x.set_(5 as never)).toThrow(TypeError);
    expect(x.tolist()).toEqual([0, 0]);
  });
});

describe('copies of views', () => {
  const x = torch.arange(12, { dtype: torch.float64 }).reshape(3, 4);
  const pairs: [string, Tensor, Tensor][] = [
    ['aliasCopy', torch.aliasCopy(x), x],
    ['asStridedCopy', torch.asStridedCopy(x, [2, 2], [4, 1], 1), x.asStrided([2, 2], [4, 1], 1)],
    ['diagonalCopy', torch.diagonalCopy(x, { offset: 1 }), x.diagonal(1)],
    ['expandCopy', torch.expandCopy(x, [2, 3, 4]), x.expand(2, 3, 4)],
    ['permuteCopy', torch.permuteCopy(x, [1, 0]), x.permute(1, 0)],
    ['selectCopy', torch.selectCopy(x, 1, 2), x.select(1, 2)],
    ['sliceCopy', torch.sliceCopy(x, 1, 1, { step: 2 }), x.index(torch.slice(), torch.slice(1, null, 2))],
    ['squeezeCopy', torch.squeezeCopy(x.unsqueeze(0)), x],
    ['tCopy', torch.tCopy(x), x.t()],
    ['transposeCopy', torch.transposeCopy(x, 0, 1), x.t()],
    ['unfoldCopy', torch.unfoldCopy(x, 1, 2, 1), x.unfold(1, 2, 1)],
    ['unsqueezeCopy', torch.unsqueezeCopy(x, 0), x.unsqueeze(0)],
    ['viewCopy', torch.viewCopy(x, [4, 3]), x.view(4, 3)],
    ['viewCopy of another type', torch.viewCopy(x, torch.int64), x.view(torch.int64)],
  ];
  test.each(pairs)('%s has the elements and memory of its own', (_name, copy, view) => {
    expect(torch.equal(copy, view)).toBe(true);
    expect(copy.isContiguous()).toBe(true);
    expect(copy.storage().dataPtr()).not.toBe(x.storage().dataPtr());
  });
  test('complex numbers as pairs and back', () => {
    const pairs2 = torch.rand(2, 2);
    const z = torch.viewAsComplexCopy(pairs2);
    expect(torch.equal(torch.viewAsRealCopy(z), pairs2)).toBe(true);
  });
  test('gradients go through copies, but not through detachCopy', () => {
    const leaf = x.clone().requiresGrad_();
    torch.diagonalCopy(leaf).sum().backward();
    expect(leaf.grad!.sum().item()).toBe(3);
    expect(torch.detachCopy(leaf).requiresGrad).toBe(false);
  });
  test('asStridedScatter writes through the view of a copy', () => {
    const y = torch.asStridedScatter(x, torch.zeros(2, 2, { dtype: torch.float64 }), [2, 2], [4, 1], 1);
    expect(y.tolist()).toEqual([
      [0, 0, 0, 3],
      [4, 0, 0, 7],
      [8, 9, 10, 11],
    ]);
    expect(x.sum().item()).toBe(66);
    expect(() => torch.asStridedScatter(x, torch.zeros(3), [2, 2], [4, 1])).toThrow(
      'src size = [3], slice size = [2, 2]',
    );
    const [a, b] = [x.clone().requiresGrad_(), torch.zeros(2, 2, { dtype: torch.float64 }).requiresGrad_()];
    expect(
      torch.autograd.gradcheck((u, v) => torch.asStridedScatter(u as Tensor, v as Tensor, [2, 2], [4, 1], 1), [a, b]),
    ).toBe(true);
  });
});

describe('layouts of fresh tensors', () => {
  test('emptyPermuted and newEmptyStrided', () => {
    expect(torch.emptyPermuted([2, 3, 4], [2, 0, 1]).stride()).toEqual([3, 1, 6]);
    expect(() => torch.emptyPermuted([2, 3], [0, 0])).toThrow('Duplicate dim not allowed');
    expect(() => torch.emptyPermuted([2, 3], [0])).toThrow('does not match the length of the physical_layout');
    expect(() => torch.emptyPermuted([2, 3], [0, 2])).toThrow(RangeError);
    const y = torch.zeros(1).double().newEmptyStrided([2, 3], [1, 2]);
    expect([y.dtype, y.stride()]).toEqual([torch.float64, [1, 2]]);
  });
});

describe('questions', () => {
  test('isNonzero is the truth of one element', () => {
    expect(torch.isNonzero(torch.tensor([0]))).toBe(false);
    expect(torch.tensor(-0.5).isNonzero()).toBe(true);
    expect(() => torch.isNonzero(torch.rand(2))).toThrow(
      'Boolean value of Tensor with more than one value is ambiguous',
    );
    expect(() => torch.isNonzero(torch.rand(0))).toThrow('Boolean value of Tensor with no values is ambiguous');
  });
  test('places and memory', () => {
    const x = torch.rand(2);
    expect([x.isCpu, x.isCuda, x.isMeta, x.isShared(), x.toDense() === x]).toEqual([true, false, false, false, true]);
    expect([torch.isSigned(x), torch.isSigned(x.to(torch.uint8))]).toEqual([true, false]);
    expect(() => x.cuda()).toThrow("device 'cuda' is not available");
    expect(x.numpy()).toEqual(x.toTypedArray());
    expect(() => x.requiresGrad_().numpy()).toThrow("Can't call numpy() on Tensor that requires grad.");
    expect(x.numpy({ force: true })).toEqual(x.toTypedArray());
  });
  test('torch.detach, torch.fill and torch.frobeniusNorm', () => {
    const x = torch.tensor([[3, 4]], { requiresGrad: true });
    expect(torch.detach(x).requiresGrad).toBe(false);
    expect(torch.fill(x, 2).tolist()).toEqual([[2, 2]]);
    expect(torch.frobeniusNorm(x, [0, 1]).item()).toBe(5);
    const y = x.mul(1);
    expect([torch.detach_(y), y.requiresGrad]).toEqual([y, false]);
  });
});

describe('settings of the process', () => {
  test('are kept, and nonsense is refused', () => {
    expect(torch.getDefaultDevice().type).toBe('cpu');
    expect(() => torch.setDefaultDevice('cuda')).toThrow(torch.RuntimeError);
    torch.setFloat32MatmulPrecision('high');
    expect(torch.getFloat32MatmulPrecision()).toBe('high');
    torch.setFloat32MatmulPrecision('highest');
    expect(() => torch.setFloat32MatmulPrecision('low' as never)).toThrow(torch.RuntimeError);
    torch.useDeterministicAlgorithms(true, { warnOnly: true });
    expect([torch.areDeterministicAlgorithmsEnabled(), torch.isDeterministicAlgorithmsWarnOnlyEnabled()]).toEqual([
      true,
      true,
    ]);
    torch.useDeterministicAlgorithms(false);
    expect(torch.areDeterministicAlgorithmsEnabled()).toBe(false);
    torch.setNumInteropThreads(2);
    expect(torch.getNumInteropThreads()).toBe(2);
    expect(() => torch.setNumInteropThreads(0)).toThrow('set_num_interop_threads expects a positive integer');
  });
});

// Changing tensors in place: what backward notices, what is forbidden, and how views and their base share a history.
import torch, { type Tensor } from 'flambeau';
import { expectValues, leaf, leaf64, MODIFIED, ramp } from './support';

const { autograd } = torch;

describe('saved tensors', () => {
  test('a change of a saved tensor is found', () => {
    const x = torch.ones(3, { requiresGrad: true });
    const y = x.exp();
    y.add_(1);
    expect(() => y.sum().backward()).toThrow(new torch.RuntimeError(MODIFIED(', which is output 0 of Exp,', 1, 0)));
    const b = torch.ones(3, { requiresGrad: true }).mul(2);
    const c = b.mul(b);
    b.mul_(2);
    expect(() => c.sum().backward()).toThrow(MODIFIED(', which is output 0 of Mul,', 1, 0));
    const w = torch.ones(3);
    const d = x.mul(w);
    w.add_(1);
    expect(() => d.sum().backward()).toThrow(MODIFIED('', 1, 0));
  });

  test('a change through a view is found as well', () => {
    const x = torch.ones(3, { requiresGrad: true });
    const w = torch.ones(3);
    const y = x.mul(w);
    w.select(0, 1).zero_();
    expect(() => y.sum().backward()).toThrow(MODIFIED('', 1, 0));
  });

  test('what is not needed may be changed', () => {
    const x = torch.ones(3, { requiresGrad: true });
    const y = x.mul(2);
    y.add_(1).mul_(3);
    y.sum().backward();
    expectValues(y, [9, 9, 9]);
    expectValues(x.grad, [6, 6, 6]);
  });
});

describe('in-place operations', () => {
  test('leaves and views of leaves are refused', () => {
    const x = leaf([1, 2]);
    expect(() => x.add_(1)).toThrow('a leaf Variable that requires grad is being used in an in-place operation.');
    expect(() => x.select(0, 0).add_(1)).toThrow(
      'a view of a leaf Variable that requires grad is being used in an in-place operation.',
    );
    expectValues(x, [1, 2]);
    torch.noGrad(() => x.add_(1));
    expectValues(x, [2, 3]);
    torch.noGrad(() => x.select(0, 0).add_(1));
    expectValues(x, [3, 3]);
  });

  test('several views of one operation are refused', () => {
    const message = (name: string): string =>
      `Output 0 of ${name} is a view and is being modified inplace. This view is the output of a function that returns ` +
      'multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace ' +
      'operation by an out-of-place one.';
    const x = leaf([1, 2]);
    expect(() => x.mul(1).unbind(0)[0]!.add_(1)).toThrow(message('Unbind'));
    expect(() => x.mul(1).split(1)[0]!.mul_(2)).toThrow(message('Split'));
  });

  test('views made without recording are refused while recording', () => {
    const x = leaf([1, 2]);
    const b = x.mul(1);
    const v = torch.noGrad(() => b.select(0, 0));
    expect(() => v.mul_(2)).toThrow(
      'A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case ' +
        'is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace ' +
        "either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want " +
        'the inplace to be tracked).',
    );
    torch.noGrad(() => v.mul_(2));
    expectValues(b, [2, 2]);
  });

  test('through views of a computed tensor', () => {
    const x = ramp(4).requiresGrad_();
    const a = x.mul(1);
    a.index(torch.slice(1, 3)).mul_(10);
    a.select(0, 0).fill_(7);
    a.mul(a).sum().backward();
    expectValues(a, [7, 1, 2, 0.3]);
    expectValues(x.grad, [0, 20, 40, 0.6]);
  });

  test('a view makes its base part of the graph, and the other views follow', () => {
    const a = torch.zeros(3);
    const first = a.narrow(0, 0, 2);
    const second = a.narrow(0, 1, 2);
    const w = leaf([2, 3]);
    first.add_(w);
    expect(a.requiresGrad).toBe(true);
    expect(String(a.gradFn)).toBe('<CopySlices>');
    expect([first.requiresGrad, second.requiresGrad]).toEqual([true, true]);
    expect(String(second.gradFn)).toBe('<AsStridedBackward0>');
    second
      .mul(torch.tensor([10, 100]))
      .sum()
      .backward();
    expectValues(w.grad, [0, 10]);
  });

  test('views of views', () => {
    const x = leaf64([1, 2, 3, 4, 5, 6]);
    const f = (t: Tensor): Tensor => {
      const a = t.mul(1).view(2, 3);
      a.select(0, 1)
        .narrow(0, 1, 2)
        .mul_(t.narrow(0, 0, 2));
      a.t().select(0, 0).mul_(3);
      return a.mul(a).sum();
    };
    expect(autograd.gradcheck(f, [x])).toBe(true);
    expect(autograd.gradgradcheck(f, [x])).toBe(true);
  });

  test('the result of an in-place operation can be differentiated twice', () => {
    const x = leaf64([0.5, -0.3, 0.8]);
    const f = (t: Tensor): Tensor => {
      const a = t.mul(t);
      a.narrow(0, 1, 2).mul_(t.narrow(0, 0, 2));
      a.exp_();
      return a.mul(a);
    };
    expect(autograd.gradcheck(f, [x])).toBe(true);
    expect(autograd.gradgradcheck(f, [x])).toBe(true);
  });

  test('a kept gradient is that of the changed values', () => {
    const w = leaf([1, 1, 1]);
    const b = w.mul(1);
    b.retainGrad();
    b.narrow(0, 0, 2).mul_(2);
    b.mul(3).sum().backward();
    expectValues(b.grad, [3, 3, 3]);
    expectValues(w.grad, [6, 6, 3]);
  });

  test('an indirect change of a view that cannot follow', () => {
    const w = leaf([1, 1, 1]);
    const a = w.mul(1);
    const u = a.unbind(0);
    a.mul_(w);
    expect(() => u[0]!.add(1)).toThrow(
      'Output 0 of Unbind is a view and its base or another view of its base has been modified inplace. This view is the ' +
        'output of a function that returns multiple views.',
    );
  });

  test('isView, base and detach_', () => {
    const x = leaf([1, 2]);
    const b = x.mul(2);
    const v = b.narrow(0, 0, 1).view(1, 1);
    expect([b._isView(), v._isView()]).toEqual([false, true]);
    expect(v._base).toBe(b);
    expect(b.detach()._isView()).toBe(false);
    expect(() => v.detach_()).toThrow("Can't detach views in-place. Use detach() instead.");
  });
});

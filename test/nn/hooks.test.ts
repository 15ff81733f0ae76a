// Hooks of modules: their order, what they may change, and that nothing they do leaves a module unusable.
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, fill, ramp, thrown, warnings } from './module_support';

const one = (): Tensor => torch.ones(1);

describe('forward hooks', () => {
  test("the example of PyTorch's notes on modules", () => {
    const m = fill(new nn.Linear(3, 3));
    const x = ramp(2, 3).requiresGrad_();
    const plain = [-0.424867, -1.151766, -0.355213, 0.142699, -1.750309, 0.262326];
    expectTensor(m(x), [2, 3], plain);
    const h1 = m.registerForwardPreHook((_, [input]) => [input.add(1)]);
    expectTensor(m(x), [2, 3], [1.467021, -3.146908, 1.70325, 2.034587, -3.745451, 2.320789]);
    const h2 = m.registerForwardHook((_, [input], output) => output.add(input));
    expectTensor(m(x), [2, 3], [2.467021, -2.046908, 2.90325, 3.334587, -2.345451, 3.820789]);
    h1.remove();
    h2.remove();
    expectTensor(m(x), [2, 3], plain);
    m.registerFullBackwardHook((_, gradInput) => gradInput.map((g) => torch.onesLike(g!).mul(42)));
    m(x).sum().backward();
    expectTensor(x.grad, [2, 3], [42, 42, 42, 42, 42, 42]);
    expectTensor(m.weight.grad, [3, 3], [0.3, 0.5, 0.7, 0.3, 0.5, 0.7, 0.3, 0.5, 0.7]);
    expectTensor(m.bias!.grad, [3], [2, 2, 2]);
  });

  test('hooks of one kind run in order; what one returns is passed to the next', () => {
    const log: [string, number][] = [];
    const m = new nn.Identity();
    m.registerForwardPreHook((_, args) => {
      log.push(['pre1', Number((args[0] as Tensor).item())]);
      return [(args[0] as Tensor).add(1)];
    });
    m.registerForwardPreHook((_, args) => {
      log.push(['pre2', Number((args[0] as Tensor).item())]);
      return (args[0] as Tensor).mul(10);
    });
    m.registerForwardHook((_, __, out) => {
      log.push(['post1', Number((out as Tensor).item())]);
      return (out as Tensor).add(100);
    });
    const handle = m.registerForwardHook((_, __, out) => {
      log.push(['post2', Number((out as Tensor).item())]);
    });
    expectTensor(m(one()) as Tensor, [1], [120]);
    handle.remove();
    handle.remove();
    expectTensor(m(one()) as Tensor, [1], [120]);
    const round = [
      ['pre1', 1],
      ['pre2', 2],
      ['post1', 20],
    ];
    expect(log).toEqual([...round, ['post2', 120], ...round]);
  });

  test('prepend puts a hook first', () => {
    const log: string[] = [];
    const m = new nn.Identity();
    const note = (text: string) => () => {
      log.push(text);
    };
    m.registerForwardPreHook(note('pre b'));
    m.registerForwardPreHook(note('pre a'), { prepend: true });
    m.registerForwardHook(note('b'));
    m.registerForwardHook(note('a'), { prepend: true });
    m(one());
    expect(log).toEqual(['pre a', 'pre b', 'a', 'b']);
  });

  test('named arguments are for hooks that ask for them', () => {
    class Scaled extends nn.Module {
      override forward(x: number, options: { by?: number; plus?: number } = {}): number {
        return x * (options.by ?? 1) + (options.plus ?? 0);
      }
    }
    const m = new Scaled();
    const seen: unknown[] = [];
    const plain = m.registerForwardPreHook((_, args) => {
      seen.push([...args]);
      return [args[0] + 1];
    });
    expect(m(1, { by: 10 })).toBe(20);
    plain.remove();
    m.registerForwardPreHook(
      (_, args, kwargs) => {
        seen.push(kwargs);
        return [args, { ...kwargs, plus: 5 }];
      },
      { withKwargs: true },
    );
    m.registerForwardHook(
      (_, __, kwargs, output) => {
        seen.push(kwargs);
        return output * 2;
      },
      { withKwargs: true },
    );
    expect(m(1, { by: 10 })).toBe(30);
    expect(m(1)).toBe(12);
    expect(seen).toEqual([[1], { by: 10 }, { by: 10, plus: 5 }, {}, { plus: 5 }]);
  });

  test('a pre-hook with named arguments must return both', () => {
    const m = new nn.Identity();
    m.registerForwardPreHook((() => 5) as never, { withKwargs: true });
    expect(thrown(() => m(one()))).toEqual({
      type: 'RuntimeError',
      message: 'forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got 5.',
    });
  });

  test('something that is no hook is refused', () => {
    const m = new nn.Identity();
    expect(() => m.registerForwardHook(5 as never)).toThrow(TypeError);
    expect(() => m.registerFullBackwardHook(null as never)).toThrow(TypeError);
    expect(() => m.registerForwardHook(() => undefined, { always: true } as never)).toThrow(
      "registerForwardHook() got an unexpected keyword argument 'always'",
    );
  });

  test('hooks that come and go while hooks run count from the next call', () => {
    const log: string[] = [];
    const m = new nn.Identity();
    const first = m.registerForwardHook(() => {
      log.push('first');
      first.remove();
      m.registerForwardHook(() => {
        log.push('late');
      });
    });
    m.registerForwardHook(() => {
      log.push('second');
    });
    m(one());
    m(one());
    expect(log).toEqual(['first', 'second', 'second', 'late']);
  });

  test('a handle removes its hook at the end of its block', () => {
    const m = new nn.Identity();
    let calls = 0;
    const handle = m.registerForwardHook(() => {
      calls++;
    });
    m(one());
    handle[Symbol.dispose]();
    m(one());
    expect(calls).toBe(1);
    expect(m._forwardHooks.size).toBe(0);
  });
});

describe('errors', () => {
  class Bad extends nn.Module {
    fails = true;
    override forward(x: Tensor): Tensor {
      if (this.fails) throw new RangeError('no');
      return x;
    }
  }

  test('hooks with alwaysCall run although forward throws', () => {
    const log: unknown[] = [];
    const m = new Bad();
    m.registerForwardHook((_, __, out) => void log.push('always', out), { alwaysCall: true });
    m.registerForwardHook(() => void log.push('normal'));
    expect(thrown(() => m(one()))).toEqual({ type: 'RangeError', message: 'no' });
    expect(log).toEqual(['always', null]);
    m.fails = false;
    m(one());
    expect(log.filter((entry) => typeof entry === 'string')).toEqual(['always', 'always', 'normal']);
  });

  test('an always-called hook that ran before the error does not run twice, and its own error is a warning', () => {
    const m = new nn.Identity();
    let calls = 0;
    m.registerForwardHook(() => void calls++, { alwaysCall: true });
    m.registerForwardHook(() => {
      throw new Error('from a hook');
    });
    m.registerForwardHook(
      () => {
        throw new Error('hidden');
      },
      { alwaysCall: true },
    );
    const emitted = warnings(() => {
      expect(() => m(one())).toThrow('from a hook');
    });
    expect(calls).toBe(1);
    expect(emitted).toEqual([
      'module forward hook with ``always_call=True`` raised an exception that was silenced as another error was raised in ' +
        'forward: hidden',
    ]);
  });

  test('a throwing hook leaves the module usable', () => {
    const m = fill(new nn.Linear(2, 1));
    const handles = [
      m.registerForwardPreHook(() => {
        throw new Error('pre');
      }),
      m.registerFullBackwardHook(() => {
        throw new Error('backward');
      }),
    ];
    const x = torch.ones(1, 2).requiresGrad_();
    expect(() => m(x)).toThrow('pre');
    handles[0]!.remove();
    const y = m(x);
    expect(() => y.sum().backward()).toThrow('backward');
    handles[1]!.remove();
    m.zeroGrad();
    x.grad = null;
    m(x).sum().backward();
    expectTensor(x.grad, [1, 2], [0.841471, 0.909297]);
    expectTensor(m.weight.grad, [1, 2], [1, 1]);
  });
});

describe('full backward hooks', () => {
  test('gradInput has one entry per positional input', () => {
    const log: (readonly (Tensor | null)[])[] = [];
    const m = fill(new nn.Bilinear(2, 2, 1));
    m.registerFullBackwardHook((_, gradInput, gradOutput) => void log.push(gradInput, gradOutput));
    m(ramp(3, 2).requiresGrad_(), ramp(3, 2).add(1)).sum().backward();
    const [gradInput, gradOutput] = log;
    expect(gradInput).toHaveLength(2);
    expectTensor(gradInput![0]!, [3, 2], [1.841698, -0.691363, 2.191852, -0.814499, 2.542006, -0.937636]);
    expectTensor(gradInput![1]!, [3, 2], [0, 0, 0, 0, 0, 0]);
    expect(gradOutput).toHaveLength(1);
    expectTensor(gradOutput![0]!, [3, 1], [1, 1, 1]);
  });

  test('an argument that is no tensor has no gradient', () => {
    class Times extends nn.Module {
      override forward(k: number, x: Tensor, note: string): Tensor {
        return note === 'twice' ? x.mul(2 * k) : x.mul(k);
      }
    }
    const m = new Times();
    let found: readonly (Tensor | null)[] = [];
    m.registerFullBackwardHook((_, gradInput) => void (found = gradInput));
    const x = one().requiresGrad_();
    m(3, x, 'twice').backward();
    expect([found[0], found.length, found[2]]).toEqual([null, 3, null]);
    expectTensor(found[1]!, [1], [6]);
    expectTensor(x.grad, [1], [6]);
  });

  test('several outputs; one of them unused', () => {
    class Two extends nn.Module {
      override forward(x: Tensor): [Tensor, Tensor] {
        return [x.mul(2), x.mul(3)];
      }
    }
    const m = new Two();
    let found: readonly (Tensor | null)[] = [];
    m.registerFullBackwardHook((_, __, gradOutput) => void (found = gradOutput));
    const x = one().requiresGrad_();
    const [a] = m(x);
    a.backward();
    expectTensor(found[0]!, [1], [1]);
    expect(found[1]).toBeNull();
    expectTensor(x.grad, [1], [2]);
  });

  test('a pre-hook changes gradOutput before anything else', () => {
    const log: unknown[] = [];
    const m = fill(new nn.Linear(2, 1));
    m.registerFullBackwardPreHook((_, gradOutput) => {
      log.push('pre');
      return [gradOutput[0]!.mul(2)];
    });
    m.registerFullBackwardHook((_, __, gradOutput) => void log.push(Number(gradOutput[0]!.item())));
    const x = ramp(1, 2).requiresGrad_();
    m(x).backward(torch.ones(1, 1));
    expect(log).toEqual(['pre', 2]);
    expectTensor(x.grad, [1, 2], [1.682942, 1.818595]);
    expectTensor(m.weight.grad, [1, 2], [0, 0.2]);
  });

  test('without inputs that require a gradient the hook still runs, and may change nothing', () => {
    const m = fill(new nn.Linear(2, 1));
    let found: unknown[] = [];
    const handle = m.registerFullBackwardHook((_, gradInput, gradOutput) => {
      found = [gradInput, Number(gradOutput[0]!.item())];
    });
    const emitted = warnings(() => {
      m(torch.ones(1, 2)).sum().backward();
    });
    expect(emitted[0]).toMatch(
      /^Full backward hook is firing when gradients are computed with respect to module outputs/,
    );
    expect(found).toEqual([[null], 1]);
    handle.remove();
    m.registerFullBackwardHook(() => [torch.ones(1, 2)]);
    expect(thrown(() => m(torch.ones(1, 2)).sum().backward())).toEqual({
      type: 'RuntimeError',
      message:
        'Backward hook for Modules where no input requires gradient should always return None or None for all gradients.',
    });
  });

  test('the number of gradients returned must be right', () => {
    const x = (): Tensor => torch.ones(1, 2).requiresGrad_();
    const a = new nn.Linear(2, 1);
    a.registerFullBackwardHook((_, gradInput) => [...gradInput, ...gradInput]);
    expect(() => a(x()).sum().backward()).toThrow(
      'Backward hook returned an invalid number of grad_input, got 2, but expected 1',
    );
    const b = new nn.Linear(2, 1);
    b.registerFullBackwardPreHook((_, gradOutput) => [...gradOutput, ...gradOutput]);
    expect(() => b(x()).sum().backward()).toThrow(
      'Backward pre hook returned an invalid number of grad_output, got 2, but expected 1',
    );
  });

  test('a module that works in place on its input says why that cannot be', () => {
    const m = new nn.ReLU({ inplace: true });
    m.registerFullBackwardHook(() => undefined);
    expect(() => m(torch.ones(1, 2).requiresGrad_().mul(2))).toThrow(/is a view and is being modified inplace/);
  });

  test('an output that is neither tensor nor array is passed on with a warning', () => {
    class Wrapped extends nn.Module {
      override forward(x: Tensor): { y: Tensor } {
        return { y: x.mul(2) };
      }
    }
    const m = new Wrapped();
    m.registerFullBackwardHook(() => undefined);
    const x = one().requiresGrad_();
    const emitted = warnings(() => {
      m(x).y.backward();
    });
    expect(emitted[0]).toContain('module output should be a Tensor or a tuple of Tensors but received Object');
    expectTensor(x.grad, [1], [2]);
  });

  test('no gradient, no hooks', () => {
    const m = new nn.Linear(2, 1);
    let calls = 0;
    m.registerFullBackwardHook(() => void calls++);
    torch.noGrad(() => m(torch.ones(1, 2)));
    expect(m(torch.ones(1, 2).requiresGrad_()).requiresGrad).toBe(true);
    expect(calls).toBe(0);
  });
});

describe('hooks of all modules', () => {
  test("they run before the module's own", () => {
    const log: string[] = [];
    const note = (text: string) => () => void log.push(text);
    const m = fill(new nn.Linear(2, 1));
    m.registerForwardPreHook(note('own pre'));
    m.registerForwardHook(note('own forward'));
    m.registerFullBackwardHook(note('own backward'));
    m.registerFullBackwardPreHook(note('own backward pre'));
    const handles = [
      nn.modules.registerModuleForwardPreHook(note('global pre')),
      nn.modules.registerModuleForwardHook(note('global forward')),
      nn.modules.registerModuleFullBackwardHook(note('global backward')),
      nn.modules.registerModuleFullBackwardPreHook(note('global backward pre')),
    ];
    const x = ramp(1, 2).requiresGrad_();
    m(x).sum().backward();
    for (const handle of handles) handle.remove();
    m(x);
    expect(log).toEqual([
      'global pre',
      'own pre',
      'global forward',
      'own forward',
      'global backward pre',
      'own backward pre',
      'global backward',
      'own backward',
      'own pre',
      'own forward',
    ]);
  });

  test('alwaysCall and withKwargs', () => {
    class Bad extends nn.Module {
      override forward(_x: number, _options?: { k: number }): number {
        throw new Error('no');
      }
    }
    const log: unknown[] = [];
    const handle = nn.modules.registerModuleForwardHook(
      ((_: nn.Module, args: unknown[], kwargs: unknown, out: unknown) => void log.push(args, kwargs, out)) as never,
      { withKwargs: true, alwaysCall: true },
    );
    try {
      expect(() => new Bad()(1, { k: 2 })).toThrow('no');
    } finally {
      handle.remove();
    }
    expect(log).toEqual([[1], { k: 2 }, null]);
  });
});

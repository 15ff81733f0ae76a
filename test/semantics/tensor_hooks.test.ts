// Hooks on tensors, leaves and nodes. The programs are those of scripts/semantics/tensor_hooks.py.
import torch, { autograd, type Tensor } from 'flambeau';
import { ramp } from '../nn/module_support';
import { error, kind, leaf, programs } from './support';

const { graph } = autograd;
const nothing = (): void => undefined;

programs('tensor_hooks', {
  needsAGradient() {
    const x = torch.ones(2);
    const y = leaf([1]).mul(2);
    return {
      error: error(() => x.registerHook((g) => g)),
      post: error(() => x.registerPostAccumulateGradHook(nothing)),
      inner: error(() => y.registerPostAccumulateGradHook(nothing)),
      integer: error(() => torch.ones(1, { dtype: torch.int64 }).registerHook(nothing)),
    };
  },

  orderAndReplacement() {
    const x = leaf([1, 2]);
    const y = x.mul(3);
    const log: unknown[] = [];
    const note = (name: string, then: (g: Tensor) => Tensor | void) => (g: Tensor) => {
      log.push([name, g.clone()]);
      return then(g);
    };
    y.registerHook(note('first', (g) => g.mul(2)));
    y.registerHook(note('second', nothing));
    y.registerHook(note('third', (g) => g.add(1)));
    x.registerHook(note('leaf', (g) => g.mul(10)));
    y.retainGrad();
    y.sum().backward();
    return { log, x: x.grad, y: y.grad };
  },

  leafHookSeesEachPass() {
    const x = leaf([1]);
    const seen: Tensor[] = [];
    x.registerHook((g) => void seen.push(g.clone()));
    x.mul(2).add(x.mul(3)).backward();
    x.mul(4).backward();
    autograd.grad(x.mul(5), x);
    return { seen, grad: x.grad };
  },

  replacedAtCapture() {
    const x = leaf([1]);
    const y = x.mul(2);
    y.registerHook((g) => g.mul(10));
    x.registerHook((g) => g.add(0.5));
    return { grads: autograd.grad(y.mul(3), [y, x]) };
  },

  handles() {
    const x = leaf([1]);
    const log: string[] = [];
    const pass = (): void => x.mul(1).backward();
    const a = x.registerHook(() => void log.push('a'));
    const b = x.registerHook(() => void log.push('b'));
    pass();
    a.remove();
    a.remove();
    pass();
    const c = x.registerHook(() => void log.push('c'));
    pass();
    c[Symbol.dispose]();
    pass();
    b.remove();
    pass();
    return { log };
  },

  removedWhileRunning() {
    const x = leaf([1]);
    const log: string[] = [];
    const once = x.registerHook(() => {
      log.push('once');
      once.remove();
    });
    x.registerHook(() => void log.push('stays'));
    x.mul(1).backward();
    x.mul(1).backward();
    return { log };
  },

  wrongResults() {
    const withHook = (hook: (g: Tensor) => Tensor | void): string | null => {
      const y = leaf([1, 2]).mul(2);
      y.registerHook(hook);
      const failed = error(() => y.sum().backward());
      return failed && failed.message.split("'")[2]!;
    };
    const x = leaf([1]);
    x.registerHook(() => 5 as never);
    return {
      size: withHook((g) => g.narrow(0, 0, 1)),
      type: withHook((g) => g.double()),
      kind: kind(() => x.mul(1).backward()),
      none: withHook(nothing),
    };
  },

  errorInAHook() {
    const a = leaf([1]);
    const b = leaf([2]);
    const h = a.mul(1);
    const handle = h.registerHook(() => {
      throw new torch.RuntimeError('from the hook');
    });
    const y = h.add(b).sum();
    const first = error(() => y.backward({ retainGraph: true }));
    handle.remove();
    a.grad = null;
    b.grad = null;
    y.backward();
    return { error: first, a: a.grad, b: b.grad };
  },

  postAccumulate() {
    const x = leaf([1, 2]);
    const seen: unknown[] = [];
    x.registerHook(() => void seen.push(['hook', x.grad === null]));
    x.registerPostAccumulateGradHook((p) => void seen.push(['post', p.grad!.clone()]));
    x.mul(2).sum().backward();
    x.mul(3).sum().backward();
    const w = leaf([5]);
    w.registerPostAccumulateGradHook((p) => {
      torch.noGrad(() => p.sub_(p.grad!));
      p.grad = null;
    });
    w.mul(2).backward();
    w.mul(1).backward();
    autograd.grad(x.mul(1), x, torch.ones(2));
    return { seen, w, none: w.grad === null };
  },

  withInPlace() {
    const x = leaf([1, 2]);
    const y = x.mul(1);
    const log: unknown[] = [];
    y.registerHook((g) => void log.push(['before', g.clone()]));
    y.mul_(3);
    y.registerHook((g) => void log.push(['after', g.clone()]));
    y.sum().backward();
    return { log, grad: x.grad };
  },

  retainedWithInPlace() {
    const x = leaf([1, 2]);
    const y = x.mul(1);
    y.retainGrad();
    y.mul_(3);
    y.mul(2).sum().backward();
    return { y: y.grad, x: x.grad };
  },

  hookAndRetain() {
    const x = leaf([1]);
    const [a, b] = [x.mul(1), x.mul(1)];
    a.retainGrad();
    a.registerHook((g) => g.mul(2));
    b.registerHook((g) => g.mul(2));
    b.retainGrad();
    a.add(b).backward();
    return { a: a.grad, b: b.grad, x: x.grad };
  },

  nodeHooks() {
    const x = leaf([1, 2]);
    const w = leaf([3, 4]);
    const y = x.mul(w);
    const log: unknown[] = [];
    y.gradFn!.registerPrehook((out) => {
      log.push(['pre', out[0]!.clone()]);
      return [out[0]!.mul(2)];
    });
    y.gradFn!.registerHook((into, out) => {
      log.push(['post', into[0]!.clone(), into[1]!.clone(), out[0]!.clone()]);
      return [into[0]!.add(1), null];
    });
    y.sum().backward();
    return { log, x: x.grad, wNone: w.grad === null };
  },

  allKindsInOrder() {
    const x = leaf([1]);
    const log: string[] = [];
    const note = (text: string) => () => void log.push(text);
    const y = x.mul(2);
    y.gradFn!.registerHook(note('node post'));
    y.gradFn!.registerPrehook(note('node pre'));
    y.registerHook(note('tensor'));
    x.registerHook(note('leaf'));
    x.registerPostAccumulateGradHook(note('accumulated'));
    y.sum().backward();
    return { log };
  },

  severalTensors() {
    const [a, b, c] = [leaf([1]), leaf([2]), leaf([3])];
    const seen: unknown[] = [];
    const handle = graph.registerMultiGradHook([a, b, c], (gs: (Tensor | null)[]) => {
      seen.push(['all', gs.map((g) => g && g.clone())]);
    });
    a.mul(b).backward();
    a.mul(b).mul(c).backward();
    handle.remove();
    a.mul(1).backward();
    graph.registerMultiGradHook([a, b], (g: Tensor) => void seen.push(['any', g.clone()]), { mode: 'any' });
    a.mul(5).add(b.mul(0)).backward();
    return {
      seen,
      mode: error(() => graph.registerMultiGradHook([a], nothing, { mode: 'some' as never })),
      needs: kind(() => graph.registerMultiGradHook([torch.ones(1)], nothing)),
    };
  },

  recordingInside() {
    const x = leaf([2]);
    const seen: unknown[] = [];
    const y = x.mul(x);
    y.registerHook((g) => void seen.push([torch.isGradEnabled(), g.requiresGrad, g.mul(x).requiresGrad]));
    y.backward({ retainGraph: true });
    y.backward({ createGraph: true });
    return { seen };
  },

  backwardInside() {
    const x = leaf([2]);
    const w = leaf([1]);
    const y = x.mul(x);
    const found: unknown[] = [];
    const inner = (): void => w.mul(3).sum().backward();
    y.registerHook(() => {
      found.push(error(inner));
      torch.enableGrad(inner);
    });
    y.backward();
    return { found, x: x.grad, w: w.grad };
  },

  savedTensors() {
    const x = ramp(3).add(1).requiresGrad_();
    const log: unknown[] = [];
    const z = graph.savedTensorsHooks(
      (t) => {
        log.push(['pack', t.detach().clone()]);
        return t.detach().mul(2);
      },
      (t) => {
        log.push(['unpack', t.clone()]);
        return t;
      },
      () => x.mul(x).exp().add(1),
    );
    z.sum().backward();
    x.mul(x).sum().backward();
    return { log, grad: x.grad };
  },

  accumulatorHooks() {
    const x = leaf([1, 2]);
    const log: unknown[] = [];
    const node = x.mul(1).gradFn!.nextFunctions[0]![0]!;
    node.registerHook((into, out) => void log.push(['post', into.length, out[0]!.clone()]));
    node.registerPrehook((out) => {
      log.push('pre');
      return [out[0]!.mul(2)];
    });
    const same = x.add(1).gradFn!.nextFunctions[0]![0] === node;
    x.mul(3).sum().backward();
    return { log, same, variable: (node as typeof node & { variable: Tensor }).variable === x, grad: x.grad };
  },
});

// Hooks of modules. The programs are those of scripts/semantics/module_hooks.py.
import torch, { nn, type Tensor } from 'flambeau';
import { fill, ramp } from '../nn/module_support';
import { error, kind, leaf, programs } from './support';

const M = nn.modules;
const one = (): Tensor => torch.ones(1);

class Twice extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}
/** A module whose hooks the tests give values of every kind. */
class Same extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}
const copies = (grads: readonly (Tensor | null)[]) => grads.map((g) => g && g.clone());

programs('module_hooks', {
  notesExample() {
    const m = fill(new nn.Linear(3, 3));
    const x = ramp(2, 3).requiresGrad_();
    const plain = m(x);
    const h1 = m.registerForwardPreHook((_, [input]) => [input.add(1)]);
    const pre = m(x);
    const h2 = m.registerForwardHook((_, [input], output) => output.add(input));
    const both = m(x);
    h1.remove();
    h2.remove();
    m.registerFullBackwardHook((_, into) => into.map((g) => torch.onesLike(g!).mul(42)));
    m(x).sum().backward();
    return { plain, pre, both, x: x.grad, weight: m.weight.grad, bias: m.bias!.grad };
  },

  severalOfAKind() {
    const log: unknown[] = [];
    const m = new Same();
    m.registerForwardPreHook((_, [x]) => {
      log.push(['pre1', x.clone()]);
      return [x.add(1)];
    });
    m.registerForwardPreHook((_, [x]) => {
      log.push(['pre2', x.clone()]);
      return x.mul(10);
    });
    m.registerForwardHook((_, __, out) => {
      log.push(['post1', out.clone()]);
      return out.add(100);
    });
    const handle = m.registerForwardHook((_, __, out) => void log.push(['post2', out.clone()]));
    const first = m(one());
    handle.remove();
    return { first, second: m(one()), log };
  },

  prepended() {
    const log: string[] = [];
    const note = (text: string) => () => void log.push(text);
    const m = new Twice();
    for (const [name, prepend] of [
      ['a', false],
      ['b', true],
      ['c', false],
      ['d', true],
    ] as const) {
      m.registerForwardPreHook(note(`pre ${name}`), { prepend });
      m.registerForwardHook(note(`post ${name}`), { prepend });
      m.registerFullBackwardPreHook(note(`backward pre ${name}`), { prepend });
      m.registerFullBackwardHook(note(`backward ${name}`), { prepend });
    }
    m(leaf([1])).backward();
    return { log };
  },

  keywordArguments() {
    class Scaled extends nn.Module {
      override forward(x: number, options: { by?: number; plus?: number } = {}): number {
        return x * (options.by ?? 1) + (options.plus ?? 0);
      }
    }
    const m = new Scaled();
    const log: unknown[] = [];
    m.registerForwardPreHook(
      (_, args, kwargs) => {
        log.push(['pre', [...args], kwargs]);
        return [args, { ...kwargs, plus: 5 }];
      },
      { withKwargs: true },
    );
    m.registerForwardPreHook((_, args) => void log.push(['plain', [...args]]));
    m.registerForwardHook(
      (_, args, kwargs, out) => {
        log.push(['post', [...args], kwargs, out]);
        return out * 2;
      },
      { withKwargs: true },
    );
    m.registerForwardHook((_, args, out) => void log.push(['end', [...args], out]));
    const found = [m(1, { by: 10 }), m(1), m(2, { by: 3, plus: 1 })];
    const bad = new Scaled();
    bad.registerForwardPreHook((() => 5) as never, { withKwargs: true });
    const half = new Scaled();
    half.registerForwardPreHook(() => null, { withKwargs: true });
    return { found, log, bad: error(() => bad(1)), none: half(3, { by: 2 }) };
  },

  tuplesAndStructures() {
    class Two extends nn.Module {
      override forward(a: Tensor, b: Tensor): [Tensor, Tensor] {
        return [a.add(b), a.mul(b)];
      }
    }
    const m = new Two();
    m.registerForwardPreHook((_, [a, b]) => [b, a.mul(2)]);
    const seen: unknown[] = [];
    m.registerForwardHook((_, args, out) => {
      seen.push(copies(args));
      return { sum: out[0], product: out[1] } as never;
    });
    return { out: m(one(), one().mul(3)), seen };
  },

  changedInPlace() {
    const m = new Same();
    m.registerForwardPreHook((_, [x]) => void x.add_(1));
    m.registerForwardHook((_, __, out) => void out.mul_(10));
    const x = one();
    return { out: m(x), x };
  },

  nestedOrder() {
    const log: string[] = [];
    const net = new nn.Sequential(new Twice(), new nn.Sequential(new Twice(), new Twice()));
    for (const [path, m] of net.namedModules()) {
      const name = path || 'net';
      m.registerForwardPreHook(() => void log.push(`pre ${name}`));
      m.registerForwardHook(() => void log.push(`post ${name}`));
      m.registerFullBackwardPreHook(() => void log.push(`backward pre ${name}`));
      m.registerFullBackwardHook(() => void log.push(`backward ${name}`));
    }
    const x = leaf([1]);
    (net(x) as Tensor).backward();
    return { log, grad: x.grad };
  },

  calledTwice() {
    const log: unknown[] = [];
    const m = new Twice();
    m.registerFullBackwardHook((_, into, out) => {
      log.push([into[0]!.clone(), out[0]!.clone()]);
      return [into[0]!.add(1)];
    });
    const x = leaf([1]);
    m(m(x)).backward();
    return { log, grad: x.grad };
  },

  globalHooks() {
    const log: string[] = [];
    const own = (text: string) => () => void log.push(text);
    const all = (text: string) => (m: nn.Module) => void log.push(`${text} ${m._getName()}`);
    const m = fill(new nn.Linear(2, 1));
    m.registerForwardPreHook(own('own pre'), { prepend: true });
    m.registerForwardHook(own('own forward'));
    m.registerFullBackwardHook(own('own backward'));
    m.registerFullBackwardPreHook(own('own backward pre'));
    const handles = [
      M.registerModuleForwardPreHook(all('global pre')),
      M.registerModuleForwardHook(all('global forward')),
      M.registerModuleFullBackwardHook(all('global backward')),
      M.registerModuleFullBackwardPreHook(all('global backward pre')),
    ];
    const net = new nn.Sequential(m);
    (net(ramp(1, 2).requiresGrad_()) as Tensor).sum().backward();
    for (const handle of handles) handle.remove();
    net(ramp(1, 2));
    return { log };
  },

  globalHooksReplace() {
    const pre = M.registerModuleForwardPreHook((_, [x]) => [(x as Tensor).add(1)]);
    const post = M.registerModuleForwardHook((_: nn.Module, __: unknown[], out: unknown) => (out as Tensor).mul(10));
    const both = new nn.Sequential(new Twice(), new Twice())(one());
    pre[Symbol.dispose]();
    post[Symbol.dispose]();
    return { both, after: new Twice()(one()) };
  },

  registrationHooks() {
    const log: unknown[] = [];
    const handles = [
      M.registerModuleParameterRegistrationHook((m, n) => void log.push(['parameter', m._getName(), n])),
      M.registerModuleBufferRegistrationHook((_, n, b) => void log.push(['buffer', n, b === null])),
      M.registerModuleModuleRegistrationHook((_, n, c) => void log.push(['module', n, c!._getName()])),
    ];
    new nn.Sequential(new nn.Linear(1, 1), new nn.BatchNorm1d(2, { affine: false }));
    const m = new nn.Module() as nn.Module & { child: nn.Module; p: nn.Parameter };
    m.registerParameter('none', null);
    m.child = new nn.Identity();
    m.p = new nn.Parameter(torch.ones(1));
    m.registerBuffer('b', null);
    for (const handle of handles) handle.remove();
    const seven = M.registerModuleParameterRegistrationHook((_, __, p) => new nn.Parameter(p.detach().mul(0).add(7)));
    const replaced = new nn.Linear(1, 1);
    seven.remove();
    return { log, replaced: [...replaced.parameters()] };
  },

  gradientsOfArguments() {
    const log: unknown[] = [];
    const m = fill(new nn.Bilinear(2, 2, 1));
    m.registerFullBackwardHook((_, into, out) => void log.push([[...into], [...out]]));
    m(ramp(3, 2).requiresGrad_(), ramp(3, 2).add(1)).sum().backward();
    class Mixed extends nn.Module {
      override forward(k: number, x: Tensor, _note: string, _options?: { y: Tensor }): [Tensor, string, Tensor] {
        return [x.mul(k), 'text', x.mul(3)];
      }
    }
    const n = new Mixed();
    n.registerFullBackwardHook((_, into, out) => {
      log.push([into.length, into.map((g) => g === null), out.map((g) => g === null)]);
    });
    const x = leaf([1]);
    n(2, x, 'a')[0].backward();
    n(2, x, 'a', { y: leaf([3]) })[2].backward();
    return { log, grad: x.grad };
  },

  gradientsReplaced() {
    const m = fill(new nn.Linear(2, 1));
    const log: unknown[] = [];
    m.registerFullBackwardPreHook((_, out) => {
      log.push(['pre1', out[0]!.clone()]);
      return [out[0]!.mul(2)];
    });
    m.registerFullBackwardPreHook((_, out) => {
      log.push(['pre2', out[0]!.clone()]);
      return [out[0]!.add(1)];
    });
    m.registerFullBackwardHook((_, into, out) => {
      log.push(['hook1', into[0]!.clone(), out[0]!.clone()]);
      return [into[0]!.mul(10)];
    });
    m.registerFullBackwardHook((_, into) => void log.push(['hook2', into[0]!.clone()]));
    const x = ramp(1, 2).requiresGrad_();
    m(x).backward(torch.ones(1, 1));
    return { log, x: x.grad, weight: m.weight.grad };
  },

  wrongGradients() {
    const run = (register: (m: nn.Linear) => unknown) => {
      const m = new nn.Linear(2, 1);
      register(m);
      return error(() =>
        m(torch.ones(1, 2, { requiresGrad: true }))
          .sum()
          .backward(),
      );
    };
    return {
      many: run((m) => m.registerFullBackwardHook((_, into) => [into[0]!, into[0]!])),
      none: run((m) => m.registerFullBackwardHook(() => [])),
      pre: run((m) => m.registerFullBackwardPreHook((_, out) => [out[0]!, out[0]!])),
      shape: kind(() => run((m) => m.registerFullBackwardHook(() => [torch.ones(5)]))),
    };
  },

  withoutGradients() {
    const log: unknown[] = [];
    const m = fill(new nn.Linear(2, 1));
    const handle = m.registerFullBackwardHook((_, into, out) => void log.push([[...into], [...out]]));
    m(ramp(1, 2)).sum().backward();
    torch.noGrad(() => m(ramp(1, 2)));
    m(ramp(1, 2).requiresGrad_());
    handle.remove();
    m.registerFullBackwardHook(() => [torch.ones(1, 2)]);
    return { log, refused: error(() => m(ramp(1, 2)).sum().backward()) };
  },

  removedWhileRunning() {
    const log: string[] = [];
    const m = new Same();
    const once = m.registerForwardPreHook(() => {
      log.push('once');
      once.remove();
      m.registerForwardPreHook(() => void log.push('added'));
    });
    m.registerForwardPreHook(() => void log.push('stays'));
    const post = m.registerForwardHook(() => {
      log.push('post');
      post.remove();
    });
    m.registerForwardHook(() => void log.push('last'));
    m(one());
    m(one());
    return { log };
  },

  backwardHookRemovedBeforeBackward() {
    const log: string[] = [];
    const m = new Twice();
    const handle = m.registerFullBackwardHook(() => void log.push('backward'));
    const y = m(leaf([1]));
    handle.remove();
    y.backward();
    const z = m(leaf([1]));
    m.registerFullBackwardHook(() => void log.push('late'));
    z.backward();
    return { log };
  },

  errorsInHooks() {
    const fail = (): never => {
      throw new torch.RuntimeError('from the hook');
    };
    const registrations = [
      (m: nn.Linear) => m.registerForwardPreHook(fail),
      (m: nn.Linear) => m.registerForwardHook(fail),
      (m: nn.Linear) => m.registerFullBackwardPreHook(fail),
      (m: nn.Linear) => m.registerFullBackwardHook(fail),
    ];
    const found = registrations.map((register) => {
      const m = fill(new nn.Linear(2, 1));
      const handle = register(m);
      const x = torch.ones(1, 2, { requiresGrad: true });
      const failed = error(() => m(x).sum().backward());
      handle.remove();
      m.zeroGrad();
      x.grad = null;
      m(x).sum().backward();
      return [failed!.message, x.grad, m.weight.grad];
    });
    return { found, log: [] };
  },

  alwaysCalled() {
    class Bad extends nn.Module {
      fails = true;
      override forward(x: Tensor): Tensor {
        if (this.fails) throw new torch.RuntimeError('no');
        return x;
      }
    }
    const log: unknown[] = [];
    const m = new Bad();
    m.registerForwardHook((_, __, out) => void log.push(['always', out === null]), { alwaysCall: true });
    m.registerForwardHook((_, __, out) => void log.push(['normal', out === null]));
    m.registerForwardHook((_, __, kwargs, out) => void log.push(['with kwargs', kwargs, out === null]), {
      alwaysCall: true,
      withKwargs: true,
    });
    const first = error(() => m(one()));
    m.fails = false;
    m(one());
    return { error: first, log };
  },

  copies() {
    const log: string[] = [];
    const m = new Same();
    m.registerForwardHook(() => void log.push('hook'));
    const c = torch.deepcopy(m);
    m.registerForwardHook(() => void log.push('of the original'));
    c(one());
    m(one());
    return { log };
  },

  featureExtraction() {
    const net = fill(new nn.Sequential(new nn.Linear(2, 3), new nn.Tanh(), new nn.Linear(3, 1)));
    const kept: Record<string, Tensor> = {};
    for (const [name, m] of net.namedChildren()) {
      m.registerForwardHook((_, __, out) => {
        kept[`layer${name}`] = (out as Tensor).detach();
      });
    }
    net(ramp(2, 2));
    return kept;
  },

  directForward() {
    const log: string[] = [];
    const m = new Same();
    m.registerForwardHook(() => void log.push('hook'));
    m.forward(one());
    m(one());
    m.eval()(one());
    return { log };
  },

  stateDictHooks() {
    const log: unknown[] = [];
    const m = fill(new nn.Sequential(new nn.Linear(2, 1)));
    const first = m.at(0)!;
    first._registerStateDictHook((_, d, prefix) => void log.push(['state', [...d.keys()].sort(), prefix]));
    first._registerLoadStateDictPreHook((d, prefix) => void log.push(['pre', prefix, [...d.keys()].sort()]));
    m.registerLoadStateDictPostHook((_, keys) => {
      log.push(['post', [...keys.missingKeys], [...keys.unexpectedKeys]]);
    });
    const d = m.stateDict();
    d.set('extra', torch.ones(1));
    d.delete('0.bias');
    m.loadStateDict(d, { strict: false });
    return { log };
  },

  stateDictHooksChange() {
    const m = fill(new nn.Sequential(new nn.Linear(2, 1)));
    let seen: unknown[] = [];
    m.registerStateDictPreHook((_, prefix, keepVars) => {
      seen = [prefix, keepVars];
    });
    m.at(0)!.registerStateDictPostHook((_, d, prefix) => void d.set(`${prefix}added`, torch.ones(1)));
    const keys = [...m.stateDict({ prefix: 'p.' }).keys()];
    const refused = new nn.Linear(1, 1);
    refused.registerStateDictPostHook((_, d) => d as never);
    const replaced = new nn.Linear(1, 1);
    replaced._registerStateDictHook((_, d) => {
      const weight = d.get('weight')!;
      d.clear();
      return d.set('only', weight);
    });
    const old = fill(new nn.Linear(2, 1));
    old.registerLoadStateDictPreHook((_, d, prefix) => {
      d.set(`${prefix}weight`, d.get(`${prefix}w`)!);
      d.delete(`${prefix}w`);
    });
    old.loadStateDict({ w: torch.zeros(1, 2), bias: torch.ones(1) });
    const forgiving = new nn.Linear(2, 1);
    forgiving.registerLoadStateDictPostHook((_, missing) => void missing.missingKeys.splice(0));
    const result = forgiving.loadStateDict({ bias: torch.ones(1) });
    const talking = new nn.Linear(1, 1);
    talking.registerLoadStateDictPostHook((_, missing) => missing as never);
    return {
      keys,
      seen,
      refused: error(() => refused.stateDict()),
      replaced: [...replaced.stateDict().keys()],
      old: old.weight,
      forgiven: [...result.missingKeys],
      returned: kind(() => talking.loadStateDict(talking.stateDict())),
    };
  },

  loadHooksOrder() {
    const log: unknown[] = [];
    const net = new nn.Sequential(new nn.Linear(1, 1), new nn.Sequential(new nn.Linear(1, 1)));
    for (const [name, m] of net.namedModules()) {
      m.registerLoadStateDictPreHook((_, __, prefix, meta, strict) => {
        log.push(['pre', prefix, strict, meta.version]);
      });
      m.registerLoadStateDictPostHook(() => void log.push(['post', name]));
      m.registerStateDictPreHook((_, prefix) => void log.push(['save pre', prefix]));
      m.registerStateDictPostHook((_, d, prefix) => void log.push(['save post', prefix, d.size]));
    }
    net.loadStateDict(net.stateDict());
    return { log };
  },
});

// L-BFGS.
import { enableGrad, noGrad } from '../autograd/mode.js';
import { RuntimeError } from '../core/errors.js';
import { zeros } from '../ops/creation.js';
import { cat } from '../ops/join.js';
import { bind, type CallArguments, signature } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';
import type { Params } from './groups.js';
import { type LinePoint, strongWolfe } from './line_search.js';
import { type Closure, Optimizer, type ParameterState } from './optimizer.js';
import { check, realView, retain } from './state.js';
import { pyFloat } from '../nn/printing.js';

/** The options of LBFGS, which has one group only. */
export type LBFGSOptions = {
  lr: number;
  maxIter: number;
  maxEval: number;
  toleranceGrad: number;
  toleranceChange: number;
  historySize: number;
  lineSearchFn: 'strong_wolfe' | null;
};

const TEXT =
  'LBFGS(any? params, float lr=1, int maxIter=20, int? maxEval=None, float toleranceGrad=1e-7, float toleranceChange=1e-9, int historySize=100, str? lineSearchFn=None)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<LBFGSOptions>,
  lr: number,
  maxIter: number,
  maxEval: number | null,
  toleranceGrad: number,
  toleranceChange: number,
  historySize: number,
  lineSearchFn: 'strong_wolfe' | null,
];

/** What is known of the curvature, and where the last step ended. */
interface History {
  d: Tensor | null;
  t: number;
  /** Differences of gradients and of points, and the inverse of their products. */
  dirs: Tensor[];
  steps: Tensor[];
  ro: number[];
  diagonal: number;
  gradient: Tensor | null;
  loss: number;
}

function toNumber(value: unknown, fallback: number): number {
  if (value instanceof Tensor) return Number(value.item());
  return typeof value === 'number' ? value : fallback;
}

function readHistory(state: ParameterState): History {
  return {
    d: (state['d'] as Tensor | undefined) ?? null,
    t: toNumber(state['t'], 0),
    dirs: [...((state['old_dirs'] as Tensor[] | undefined) ?? [])],
    steps: [...((state['old_stps'] as Tensor[] | undefined) ?? [])],
    ro: ((state['ro'] as unknown[] | undefined) ?? []).map((v) => toNumber(v, 0)),
    diagonal: toNumber(state['H_diag'], 1),
    gradient: (state['prev_flat_grad'] as Tensor | undefined) ?? null,
    loss: toNumber(state['prev_loss'], 0),
  };
}

const largest = (t: Tensor): number => (t.numel() === 0 ? 0 : Number(t.abs().amax().item()));
const dot = (a: Tensor, b: Tensor): number => Number(a.dot(b).item());

/**
 * L-BFGS: Newton's method with the inverse curvature estimated from the last steps by the two-loop recursion. `step` needs a
 * closure, which it calls several times. State, with the first parameter: `func_evals`, `n_iter`, `d`, `t`, `old_dirs`,
 * `old_stps`, `ro`, `H_diag`, `prev_flat_grad`, `prev_loss`.
 * (Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989)
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  /**
   * @param params tensors or `[name, tensor]` pairs; only one group
   * @param lr the length of a step in the direction found (default 1), at least 0
   * @param maxIter iterations per step (default 20)
   * @param maxEval calls of the closure per step (default null: 5/4 maxIter, rounded down)
   * @param toleranceGrad stops when no element of the gradient is larger (default 1e-7)
   * @param toleranceChange stops when the point or the loss changes less (default 1e-9)
   * @param historySize how many steps are remembered (default 100), at least 1
   * @param lineSearchFn 'strong_wolfe', or null (default) for steps of fixed length
   * @throws RuntimeError for a value out of its range, or several groups; the step throws it for another line search
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, maxIter, maxEval, toleranceGrad, toleranceChange, historySize, lineSearchFn] = bind(
      SIGNATURE,
      args,
    ) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(historySize >= 1, `Invalid history size: ${historySize}`);
    super(params, {
      lr,
      maxIter,
      maxEval: maxEval ?? Math.floor((maxIter * 5) / 4),
      toleranceGrad,
      toleranceChange,
      historySize,
      lineSearchFn,
    });
    check(this.paramGroups.length === 1, "LBFGS doesn't support per-parameter options (parameter groups)");
  }

  private get params(): Tensor[] {
    return this.paramGroups[0]!.params;
  }

  /** All gradients in one row; zeros for a parameter without one. */
  private flatGradient(): Tensor {
    const parts = this.params.map((p) => {
      const g = p.grad;
      if (g === null) return zeros([p.numel() * (p.dtype.isComplex ? 2 : 1)], { dtype: p.dtype.toReal() });
      return realView(g).reshape(-1);
    });
    return retain(cat(parts, 0));
  }

  /** Moves the parameters by `size` times `direction`. */
  private move(size: number, direction: Tensor): void {
    let offset = 0;
    for (const p of this.params) {
      const real = realView(p);
      const n = real.numel();
      real.add_(direction.narrow(0, offset, n).view(real.shape), { alpha: size });
      offset += n;
    }
  }

  /**
   * Minimises the loss for up to `maxIter` iterations.
   * @param closure clears the gradients, computes the loss, calls backward on it and returns it.
   * @returns what the closure returned first, the loss before the step.
   * @throws TypeError without a closure.
   */
  override step(): never;
  override step<T>(closure: Closure<T>): T;
  override step<T>(closure?: Closure<T>): T {
    if (typeof closure !== 'function') throw new TypeError('LBFGS.step() needs a closure that returns the loss');
    check(this.paramGroups.length === 1, `Expected exactly one param_group, but got ${this.paramGroups.length}`);
    return noGrad(() => this.minimize(closure));
  }

  private minimize<T>(closure: Closure<T>): T {
    const group = this.paramGroups[0]!;
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange, historySize, lineSearchFn } = group;
    if (lineSearchFn !== null && lineSearchFn !== 'strong_wolfe')
      throw new RuntimeError("only 'strong_wolfe' is supported");
    const key = this.params[0]!;
    const state: ParameterState = this.state.get(key) ?? { func_evals: 0, n_iter: 0 };
    this.state.set(key, state);
    const count = (name: string, by: number): number => {
      const value = Number(state[name] ?? 0) + by;
      state[name] = value;
      return value;
    };
    const evaluate = (): { value: T; loss: number } => {
      const value = enableGrad(closure);
      return { value, loss: value instanceof Tensor ? Number(value.item()) : Number(value) };
    };

    const first = evaluate();
    let loss = first.loss;
    let evaluations = 1;
    count('func_evals', 1);
    let gradient = this.flatGradient();
    let flat = largest(gradient) <= toleranceGrad;
    if (flat) return first.value;

    const h = readHistory(state);
    for (let n = 1; n <= maxIter; n++) {
      const iteration = count('n_iter', 1);
      const d = iteration === 1 ? gradient.neg() : this.direction(h, gradient, historySize);
      h.d = retain(d);
      if (h.gradient === null) h.gradient = retain(gradient.clone());
      else h.gradient.copy_(gradient);
      h.loss = loss;
      h.t = iteration === 1 ? Math.min(1, 1 / Number(gradient.abs().sum().item())) * lr : lr;
      const slope = dot(gradient, d);
      if (slope > -toleranceChange) break;
      let used = 0;
      if (lineSearchFn !== null) {
        const start = this.params.map((p) => p.clone());
        const at = (t: number): LinePoint => {
          this.move(t, d);
          const f = evaluate().loss;
          const g = this.flatGradient();
          this.params.forEach((p, i) => p.copy_(start[i]!));
          return { t, f, g, slope: dot(g, d) };
        };
        const search = {
          evaluate: at,
          start: { t: 0, f: loss, g: gradient, slope },
          directionNorm: largest(d),
          toleranceChange,
          maxEvaluations: maxEval - evaluations,
        };
        const found = strongWolfe(search, h.t);
        used = found.evaluations;
        ({ f: loss, g: gradient, t: h.t } = found.point);
        this.move(h.t, d);
        flat = largest(gradient) <= toleranceGrad;
      } else {
        this.move(h.t, d);
        // The last iteration's loss and gradient would not be used before the next step computes them again.
        if (n !== maxIter) {
          loss = evaluate().loss;
          gradient = this.flatGradient();
          flat = largest(gradient) <= toleranceGrad;
          used = 1;
        }
      }
      evaluations += used;
      count('func_evals', used);
      if (evaluations >= maxEval || flat) break;
      if (largest(d) * Math.abs(h.t) <= toleranceChange || Math.abs(loss - h.loss) < toleranceChange) break;
    }
    Object.assign(state, {
      d: h.d,
      t: h.t,
      old_dirs: h.dirs,
      old_stps: h.steps,
      ro: h.ro,
      H_diag: h.diagonal,
      prev_flat_grad: h.gradient,
      prev_loss: h.loss,
    });
    return first.value;
  }

  /** Remembers the last step and gives the next direction: the two-loop recursion. */
  private direction(h: History, gradient: Tensor, historySize: number): Tensor {
    const y = gradient.sub(h.gradient!);
    const s = h.d!.mul(h.t);
    const ys = dot(y, s);
    if (ys > 1e-10) {
      if (h.dirs.length === historySize) {
        h.dirs.shift();
        h.steps.shift();
        h.ro.shift();
      }
      h.dirs.push(retain(y));
      h.steps.push(retain(s));
      h.ro.push(1 / ys);
      h.diagonal = ys / dot(y, y);
    }
    const q = gradient.neg();
    const al = new Array<number>(h.dirs.length);
    for (let i = h.dirs.length - 1; i >= 0; i--) {
      al[i] = dot(h.steps[i]!, q) * h.ro[i]!;
      q.add_(h.dirs[i]!, { alpha: -al[i]! });
    }
    q.mul_(h.diagonal);
    for (let i = 0; i < h.dirs.length; i++) {
      q.add_(h.steps[i]!, { alpha: al[i]! - dot(h.dirs[i]!, q) * h.ro[i]! });
    }
    return q;
  }

  protected override floatOption(name: string): boolean {
    return name !== 'lr' && super.floatOption(name);
  }
}

// Random arguments: of no kind in particular, of the kind that a signature asks for, and those of a valid call with
// something spoiled.

/** mulberry32. */
export function randomSource(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const DTYPES = ['uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64', 'complex64', 'complex128', 'bool'];
// Small, or so large that it must be refused before memory is touched: nothing between.
const ODD = [-1, -2, -100, 0.5, -0.5, NaN, Infinity, -Infinity, -0, 2 ** 40, 2 ** 53, -(2 ** 53), 2 ** 63, -(2 ** 63), 1e300, -1e300, Number.MIN_VALUE];
const WORDS = ['none', 'mean', 'sum', 'tanh', 'floor', 'trunc', 'linear', 'nearest', 'bilinear', 'bicubic', 'amax', 'prod', 'reflect', 'circular', 'same', 'valid', 'fro', 'nuc', 'U', 'ortho', 'cpu', 'x', '', '__proto__', 'constructor', 'ij,jk->ik'];

/** What makes arguments, of one library and one source of random numbers. */
export function argumentMaker(torch, random) {
  const below = (n) => Math.floor(random() * n);
  const pick = (list) => list[below(list.length)];
  const dtypes = DTYPES.map((name) => torch[name]);
  const wrong = () =>
    pick([
      () => undefined,
      () => null,
      () => pick(WORDS),
      () => random() < 0.5,
      () => ({}),
      () => [],
      () => [[]],
      () => [NaN],
      () => [undefined],
      () => [null, 1],
      () => new Array(3),
      () => Object.create(null),
      () => (x) => x,
      () => () => {
        throw new RangeError('thrown by a callback');
      },
      () => Symbol.iterator,
      () => pick([0n, 5n, -(2n ** 63n), 2n ** 70n]),
      () => new Date(0),
      () => new Float32Array(3),
      () => new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
      () => new ArrayBuffer(8),
      () => new Map(),
      () => ({ re: 1, im: -2 }),
      () => ({ re: 'x' }),
      () => ({ re: NaN, im: undefined }),
      () => new Proxy({}, {}),
      () => new torch.Generator(),
      () => torch.slice(0, null, 2),
      () => {
        const t = torch.ones(2);
        t.dispose();
        return t;
      },
    ])();

  const number = () => (random() < 0.8 ? below(5) - 1 : pick(ODD));
  const list = () => Array.from({ length: below(5) }, () => (random() < 0.93 ? below(5) - (random() < 0.2 ? 2 : 0) : pick(ODD)));
  const shape = () => Array.from({ length: below(6) }, () => (random() < 0.08 ? 0 : 1 + below(4)));

  /** The same elements in another layout: transposed, with gaps, with an offset, or broadcast from fewer. */
  function laidOut(t) {
    const r = random();
    if (r < 0.55 || t.ndim === 0) return t;
    if (r < 0.7) return t.transpose(0, t.ndim - 1).contiguous().transpose(0, t.ndim - 1);
    if (r < 0.8) return torch.stack([t, t], -1).select(-1, 1);
    if (r < 0.9) return torch.cat([t, t], 0).narrow(0, t.size(0), t.size(0));
    const d = below(t.ndim);
    return t.size(d) > 0 ? t.narrow(d, 0, 1).expand(...t.shape) : t;
  }
  const withGradient = (t) =>
    !(t.dtype.isFloatingPoint || t.dtype.isComplex) || random() > 0.3 ? t : random() < 0.5 ? t.detach().requiresGrad_() : t.clone().requiresGrad_().mul(1);
  function spoiled(t) {
    if (t.dtype.isFloatingPoint && t.numel() > 0 && random() < 0.15) {
      t = t.clone();
      t.view(-1).narrow(0, below(t.numel()), 1).fill_(pick([NaN, Infinity, -Infinity, 1e30, -1e30, 0]));
    }
    return t;
  }
  function tensor(sizes = shape(), type = random() < 0.6 ? torch.float32 : pick(dtypes)) {
    const plain = torch.randint(-3, 9, sizes).to(type);
    return withGradient(laidOut(spoiled(plain)));
  }

  function argument() {
    const r = random();
    if (r < 0.45) return tensor();
    if (r < 0.62) return number();
    if (r < 0.77) return list();
    if (r < 0.81) return Array.from({ length: below(4) }, () => tensor());
    if (r < 0.84) return pick(dtypes);
    if (r < 0.86) return random() < 0.5;
    return wrong();
  }

  /** An argument of the kind that a parameter asks for, most of the time. `common` is a shape that the call's tensors share. */
  function wanted({ kind, name }, common) {
    if (random() < 0.1) return argument();
    const sizes = random() < 0.7 ? common : shape();
    switch (kind) {
      case 'Tensor':
        if (/ind|target|length|offset/i.test(name) && random() < 0.7) return torch.randint(random() < 0.1 ? -2 : 0, 4, sizes);
        if (/mask|condition/i.test(name) && random() < 0.8) return torch.randint(0, 2, sizes).to(torch.bool);
        return tensor(sizes);
      case 'Tensor|Scalar':
        return random() < 0.5 ? tensor(sizes) : number();
      case 'Tensor[]':
        return Array.from({ length: 1 + below(3) }, () => tensor(sizes));
      case 'Scalar':
      case 'int':
      case 'float':
      case 'int|int[]':
      case 'float|float[]':
        return /^dim/.test(name) && random() < 0.8 ? below(2 * common.length + 2) - common.length - 1 : number();
      case 'int[]':
      case 'int...':
      case 'float[]':
        return random() < 0.2 ? number() : list();
      case 'bool':
        return random() < 0.5;
      case 'ScalarType':
        return pick(dtypes);
      case 'str':
        return pick(WORDS);
      default:
        return argument();
    }
  }

  /** A tensor as the tables of test/ops and calls.mjs write it. */
  function fromData(data) {
    let { shape: sizes } = data;
    if (random() < 0.06) sizes = sizes.map((n) => (random() < 0.4 ? pick([0, 1, n + 1, Math.max(0, n - 1)]) : n));
    if (random() < 0.03) sizes = random() < 0.5 ? [...sizes, 1 + below(3)] : sizes.slice(1);
    const other = random() < 0.12 ? pick(dtypes) : null;
    let t;
    if (data.tensor === 'p') {
      const half = torch.randn(sizes[0] ?? 1, sizes[0] ?? 1);
      t = half.matmul(half.t()).add(torch.eye(sizes[0] ?? 1).mul(3));
    } else if (data.tensor === 'u') {
      t = torch.rand(sizes);
    } else if (/^i$/i.test(data.tensor) || data.dtype?.includes('int')) {
      const [low, high] = /^i$/i.test(data.tensor) ? [data.low, data.high] : [0, Math.max(1, ...data.values) + 1];
      const wild = random() < 0.08 ? pick([10, -10, 1e6, -1e6]) : 0;
      t = torch.randint(low, high, sizes).add(wild);
      if (random() < 0.04 && t.numel() > 0) t.view(-1).narrow(0, 0, 1).fill_(pick([-(2 ** 62), 2 ** 62]));
      if (data.tensor === 'I') t = t.to(torch.int32);
      if (data.dtype && data.dtype !== 'int64') t = t.to(torch[data.dtype]);
    } else if (data.tensor === 'b' || data.dtype === 'bool') {
      t = torch.randint(0, 2, sizes).to(torch.bool);
    } else {
      const type = data.dtype ?? (data.tensor === 'c' ? 'complex64' : 'float32');
      t = torch.randn(sizes, { dtype: torch[type === 'float64' && random() < 0.7 ? 'float32' : type] });
    }
    if (other !== null) t = t.to(other);
    return withGradient(laidOut(spoiled(t)));
  }
  /** A value of a valid call, now and then spoiled. */
  function mutated(value) {
    if (random() < 0.04) return argument();
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number') return random() < 0.88 ? value : random() < 0.6 ? value + below(5) - 2 : pick(ODD);
    if (Array.isArray(value)) {
      const out = value.map(mutated);
      if (random() < 0.03) out.push(argument());
      if (random() < 0.03) out.pop();
      return out;
    }
    if (value.tensor) return fromData(value);
    if (value.function) return (x) => x;
    if (value.dtypeNamed) return random() < 0.8 ? torch[value.dtypeNamed] : pick(dtypes);
    if (value.number) return Number(value.number);
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mutated(v)]));
  }

  /** The arguments of a valid call, spoiled. */
  function fromCall({ args, options }) {
    const out = args.map(mutated);
    if (options) out.push(Object.fromEntries(Object.entries(options).map(([k, v]) => [k, mutated(v)])));
    if (random() < 0.03) out.pop();
    if (random() < 0.03) out.push(argument());
    return alias(out);
  }
  /** Arguments by a signature, or without one. */
  function fromSignature(params) {
    const common = shape();
    if (!params) return alias(Array.from({ length: below(5) }, argument));
    const required = params.filter((p) => p.required).length;
    const byPosition = Math.min(params.length, required + (random() < 0.5 ? 0 : below(4)));
    const args = params.slice(0, byPosition).map((p) => wanted(p, common));
    const byName = params.slice(byPosition).filter(() => random() < 0.12);
    if (byName.length > 0) args.push(Object.fromEntries(byName.map((p) => [p.name, wanted(p, common)])));
    if (random() < 0.04) args.pop();
    if (random() < 0.04) args.push(argument());
    if (random() < 0.04) args.push({ [pick(params).name]: argument() });
    return alias(args);
  }
  /** Now and then the same tensor, or a view of it, in two places. */
  function alias(args) {
    const at = args.findIndex((a) => a instanceof torch.Tensor && a._h !== 0);
    const then = args.findLastIndex((a) => a instanceof torch.Tensor);
    if (at < 0 || at === then || random() > 0.05) return args;
    const t = args[at];
    args[then] = random() < 0.5 || t.ndim === 0 ? t : t.requiresGrad ? t.detach() : t.transpose(0, t.ndim - 1);
    return args;
  }

  return { below, pick, tensor, fromCall, fromSignature };
}

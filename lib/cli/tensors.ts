// The tensors in whatever a file holds: finding them, replacing them, measuring and comparing them.
import torch, { type Tensor } from '../index.js';
import { CliError } from './errors.js';

/** Elements that are looked at together, so that a large tensor needs no second copy. */
const PIECE = 1 << 20;

/** The children of a container by their key; null for anything else. */
export function childrenOf(value: unknown): [string, unknown][] | null {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return null;
  if (value instanceof torch.nn.Module) return [...value.stateDict()];
  if (typeof value === 'function' || value instanceof torch.Tensor || value instanceof torch.Size) return null;
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].map(([key, item]) => [String(key), item]);
  if (Array.isArray(value)) return value.map((item, i) => [String(i), item]);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.entries(value) : null;
}

/** All tensors and all other values that a value holds, by the path of keys that leads to them. */
export interface Flat {
  tensors: Map<string, Tensor>;
  values: Map<string, unknown>;
}

/** Takes containers apart; each of them once. */
export function flatten(root: unknown): Flat {
  const flat: Flat = { tensors: new Map(), values: new Map() };
  const seen = new Set<unknown>();
  const walk = (value: unknown, path: string): void => {
    if (value instanceof torch.Tensor) {
      flat.tensors.set(path, value);
      return;
    }
    const children = childrenOf(value);
    if (children === null || children.length === 0) {
      flat.values.set(path, value);
      return;
    }
    if (seen.has(value)) return;
    seen.add(value);
    for (const [key, item] of children) walk(item, path === '' ? key : `${path}.${key}`);
  };
  walk(root, '');
  return flat;
}

/**
 * The part of a value that a path of keys leads to; keys may have dots in them.
 * @throws CliError if there is none.
 */
export function partOf(root: unknown, path: string): unknown {
  const find = (value: unknown, rest: string): unknown[] => {
    for (const [key, item] of childrenOf(value) ?? []) {
      if (key === rest) return [item];
      if (!rest.startsWith(`${key}.`)) continue;
      const found = find(item, rest.slice(key.length + 1));
      if (found.length > 0) return found;
    }
    return [];
  };
  const found = find(root, path);
  if (found.length === 0) {
    const keys = (childrenOf(root) ?? []).map(([key]) => key);
    throw new CliError(`there is no '${path}'; at the top are ${keys.slice(0, 20).join(', ')}`);
  }
  return found[0];
}

/** Puts other tensors in the place of those in a value; the containers stay what they are. */
export function replaceTensors(root: unknown, replace: (t: Tensor) => Tensor): unknown {
  if (root instanceof torch.Tensor) return replace(root);
  const seen = new Set<unknown>();
  const walk = (value: unknown): void => {
    if (childrenOf(value) === null || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Map) {
      for (const [key, item] of value) {
        if (item instanceof torch.Tensor) value.set(key, replace(item));
        else walk(item);
      }
      return;
    }
    const holder = value as Record<string, unknown>;
    for (const [key, item] of Object.entries(holder)) {
      if (item instanceof torch.Tensor) holder[key] = replace(item);
      else walk(item);
    }
  };
  walk(root);
  return root;
}

/** What a tensor that ops do not take is. */
export function kindOf(t: Tensor): string {
  if (t instanceof torch.serialization.QuantizedTensor) return 'a quantized tensor';
  if (t instanceof torch.serialization.OpaqueTensor) return `of type ${String(t.dtype)}`;
  return 'a sparse tensor';
}

/** A tensor that ops take: of a sparse or quantized one its plain form; null for a type that is only kept as bytes. */
export function computable(t: Tensor): Tensor | null {
  const { OpaqueTensor, QuantizedTensor, SparseCompressedTensor, SparseTensor } = torch.serialization;
  if (t instanceof QuantizedTensor) return t.dequantize();
  if (t instanceof SparseTensor || t instanceof SparseCompressedTensor) return t._dense();
  return t instanceof OpaqueTensor ? null : t;
}

/** The bytes of a tensor's elements. */
export function bytesOf(t: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = t.toTypedArray();
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Pieces of a tensor's elements, as float64 (complex128 for complex numbers), in row-major order. */
function* piecesOf(t: Tensor): Generator<Tensor> {
  const all = t.detach().reshape([-1]);
  const type = t.dtype.isComplex ? torch.complex128 : torch.float64;
  for (let at = 0; at < all.numel(); at += PIECE) yield all.narrow(0, at, Math.min(PIECE, all.numel() - at)).to(type);
}

const number = (t: Tensor): number => Number(t.item());

/** What `flambeau inspect --stats` tells of a tensor; of complex numbers, of their absolute values. */
export interface Statistics {
  min: number | null;
  max: number | null;
  mean: number | null;
  /** The standard deviation of all elements (divided by their number). */
  std: number | null;
  zeros: number;
  nan: number;
  inf: number;
}

/** Statistics of the finite elements, in one pass and double precision (Chan, Golub and LeVeque, 1979). */
export function statisticsOf(t: Tensor): Statistics {
  let n = 0;
  let mean = 0;
  let squares = 0;
  const result = { min: Infinity, max: -Infinity, zeros: 0, nan: 0, inf: 0 };
  for (const piece of piecesOf(t)) {
    const x = t.dtype.isComplex ? piece.abs() : piece;
    const finite = x.isfinite();
    const nan = number(x.isnan().sum());
    result.nan += nan;
    result.inf += x.numel() - number(finite.sum()) - nan;
    result.zeros += number(x.eq(0).sum());
    const good = number(finite.sum()) === x.numel() ? x : x.maskedSelect(finite);
    const m = good.numel();
    if (m === 0) continue;
    result.min = Math.min(result.min, number(good.min()));
    result.max = Math.max(result.max, number(good.max()));
    const pieceMean = number(good.mean());
    const delta = pieceMean - mean;
    squares += number(good.sub(pieceMean).square().sum()) + (delta * delta * n * m) / (n + m);
    mean += (delta * m) / (n + m);
    n += m;
  }
  if (n === 0) return { ...result, min: null, max: null, mean: null, std: null };
  return { ...result, mean, std: Math.sqrt(squares / n) };
}

/** How far two tensors of one shape are apart. */
export interface Distance {
  /** The largest |a - b|; NaN on both sides counts as equal, on one side as infinitely far. */
  largest: number;
  /** The largest |a - b| / |b|. */
  relative: number;
  /** How many elements differ by more than the tolerance. */
  differing: number;
}

/**
 * Compares elements: they differ if |a - b| > atol + rtol |b|.
 * @param a and b: tensors of one shape, of any types.
 */
export function distanceOf(a: Tensor, b: Tensor, atol: number, rtol: number): Distance {
  const result: Distance = { largest: 0, relative: 0, differing: 0 };
  const others = piecesOf(b);
  for (const x of piecesOf(a)) {
    const y = others.next().value as Tensor;
    const same = x.eq(y).logicalOr(x.isnan().logicalAnd(y.isnan()));
    if (number(same.sum()) === same.numel()) continue;
    const far = x.sub(y).abs().maskedFill(same, 0);
    // NaN against a number, or infinities against another.
    const distance = far.maskedFill(far.isnan(), Infinity);
    const size = y.abs();
    const relative = distance.div(size).maskedFill(distance.eq(0), 0);
    result.largest = Math.max(result.largest, number(distance.max()));
    result.relative = Math.max(result.relative, number(relative.maskedFill(relative.isnan(), Infinity).max()));
    const allowed = size.mul(rtol).add(atol);
    const bound = allowed.maskedFill(allowed.isfinite().logicalNot(), atol);
    result.differing += number(distance.gt(bound).sum());
  }
  return result;
}

// Compares a loaded value with what real PyTorch recorded about it (test/fixtures/serialization/fixtures.json).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { types } from 'node:util';
import torch, { nn, type Tensor } from 'flambeau';

export const FIXTURES = path.join(__dirname, '..', 'fixtures', 'serialization');

/** A tensor as the fixtures describe it; the bytes are the elements in row-major order, in base64. */
interface RecordedTensor {
  dtype: string;
  shape: number[];
  stride: number[];
  offset: number;
  requires_grad: boolean;
  parameter: boolean;
  storage: number | null;
  bytes: string;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Case {
  file: string;
  content?: Json;
  /** What the error of a file that must be refused says. */
  refuse?: string;
  /** [name, type, shape, bytes] of the tensors of a file that can only be listed. */
  inspect?: [string, string, number[], number][];
  metadata?: Record<string, string> | null;
  /** false: strides and shared memory are not as they were in PyTorch. */
  geometry?: boolean;
}

/** All cases of the fixtures. */
export const cases: Case[] = (
  JSON.parse(readFileSync(path.join(FIXTURES, 'fixtures.json'), 'utf8')) as { cases: Case[] }
).cases;

/** The path of a fixture. */
export function fixture(file: string): string {
  return path.join(FIXTURES, file);
}

/** The elements of a tensor as base64, like the fixtures have them. */
export function elements(t: Tensor): string {
  const { buffer, byteOffset, byteLength } = t.toTypedArray();
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** A number that is equal for tensors on the same storage. */
export function storageOf(t: Tensor): number {
  return t.dataPtr() - t.storageOffset() * t.itemsize;
}

function float(text: string): number {
  return text === 'inf' ? Infinity : text === '-inf' ? -Infinity : text === 'nan' ? NaN : Number(text);
}

/** Holds the storages that were met, so that sharing can be compared. */
export class Matcher {
  private readonly recorded = new Map<number, number>();
  private readonly found = new Map<number, number>();

  constructor(private readonly geometry = true) {}

  /** Throws, naming the place, where `got` is not what was recorded. */
  match(got: unknown, want: Json, at = 'value'): void {
    const check = (ok: boolean, what: string): void => {
      if (!ok) throw new Error(`${at}: ${what}, expected ${JSON.stringify(want).slice(0, 120)}`);
    };
    if (want === null || typeof want !== 'object') {
      check(Object.is(got, want), `found ${String(got)}`);
      return;
    }
    if (Array.isArray(want)) {
      check(Array.isArray(got) && !(got instanceof torch.Tuple), `no list`);
      this.items(got as unknown[], want, at);
      return;
    }
    const [kind, body] = Object.entries(want)[0] as [string, Json];
    switch (kind) {
      case '$tensor':
        this.tensor(got, body as unknown as RecordedTensor, at);
        break;
      case '$sparse':
        this.sparse(got, body as Record<string, Json>, at);
        break;
      case '$quantized':
        this.quantized(got, body as Record<string, Json>, at);
        break;
      case '$tuple':
        check(got instanceof torch.Tuple && !(got instanceof torch.Size), 'no tuple');
        this.items(got as unknown[], body as Json[], at);
        break;
      case '$size':
        check(got instanceof torch.Size && String(got) === String(body), 'no such torch.Size');
        break;
      case '$float':
        check(Object.is(got, float(body as string)), `found ${String(got)}`);
        break;
      case '$int':
        check(got === BigInt(body as string), `found ${String(got)}`);
        break;
      case '$complex': {
        const { re, im } = got as { re: number; im: number };
        check(String([re, im]) === String((body as string[]).map(float)), `found ${re}, ${im}`);
        break;
      }
      case '$bytes':
        check(types.isUint8Array(got) && Buffer.from(got).toString('base64') === body, 'other bytes');
        break;
      case '$set':
        check(types.isSet(got) && String([...got].sort()) === String(body), 'no such set');
        break;
      case '$dtype':
        check(String(got) === `torch.${body as string}`, `found ${String(got)}`);
        break;
      case '$device':
        check(String(got) === body, `found ${String(got)}`);
        break;
      default:
        this.dict(got, want as { [key: string]: Json }, kind === '$odict', at);
    }
  }

  private items(got: readonly unknown[], want: Json[], at: string): void {
    if (got.length !== want.length) throw new Error(`${at}: ${got.length} items, expected ${want.length}`);
    for (const [i, item] of want.entries()) this.match(got[i], item, `${at}[${i}]`);
  }

  private dict(got: unknown, want: { [key: string]: Json }, ordered: boolean, at: string): void {
    const pairs = (ordered ? want['$odict'] : want['$dict']) as [Json, Json][];
    const strings = pairs.every(([key]) => typeof key === 'string');
    const isMap = types.isMap(got);
    if (ordered !== got instanceof torch.StateDict || (!ordered && strings === isMap)) {
      throw new Error(`${at}: ${isMap ? 'a Map' : 'an object'} for a dict`);
    }
    const entries: [unknown, unknown][] = types.isMap(got) ? [...got] : Object.entries(got as object);
    if (entries.length !== pairs.length) throw new Error(`${at}: ${entries.length} keys, expected ${pairs.length}`);
    // JavaScript lists keys like '10' first; the order of all others is Python's.
    const find = (key: Json, i: number): unknown => (isMap ? entries[i]![1] : entries.find(([k]) => k === key)?.[1]);
    for (const [i, [key, value]] of pairs.entries()) {
      if (isMap) this.match(entries[i]![0], key, `${at} key ${i}`);
      else if (!Object.hasOwn(got as object, key as string)) throw new Error(`${at}: no key ${String(key)}`);
      this.match(find(key, i), value, `${at}.${String(key)}`);
    }
    const attributes = want['attributes'] as { [key: string]: Json } | undefined;
    if (attributes?.['_metadata'] !== undefined) {
      this.match((got as { _metadata?: unknown })._metadata, attributes['_metadata'], `${at}._metadata`);
    }
  }

  private sparse(got: unknown, want: Record<string, Json>, at: string): void {
    const { layout, dense, coalesced, text, ...parts } = want;
    const { SparseTensor, SparseCompressedTensor } = torch.serialization;
    const sparse = got as InstanceType<typeof SparseTensor>;
    if (!(got instanceof SparseTensor || got instanceof SparseCompressedTensor))
      throw new Error(`${at}: no sparse tensor`);
    for (const [method, tensor] of Object.entries(parts)) {
      // crow_indices is crowIndices, _values is _values.
      const name = method.replace(/(?<=.)_([a-z])/g, (_, c: string) => c.toUpperCase());
      this.match((got as unknown as Record<string, () => unknown>)[name]!(), tensor, `${at}.${name}()`);
    }
    expect([at, sparse.layout, String(got)]).toEqual([at, layout, text]);
    if (got instanceof SparseTensor) expect([at, got.isCoalesced()]).toEqual([at, coalesced]);
    new Matcher(false).match(sparse.toDense(), dense!, `${at}.toDense()`);
  }

  private quantized(got: unknown, want: Record<string, Json>, at: string): void {
    const { QuantizedTensor } = torch.serialization;
    if (!(got instanceof QuantizedTensor)) throw new Error(`${at}: no quantized tensor`);
    const found = {
      dtype: String(got.dtype),
      scheme: got.qscheme(),
      shape: [...got.shape],
      stride: got.stride(),
      integers: Array.from(got.intRepr().flatten().toTypedArray(), Number),
      numbers: Array.from(got.dequantize().toTypedArray(), Number),
      text: String(got),
    };
    const { parameters, ...values } = want;
    expect([at, found]).toEqual([at, values]);
    const [scale, zero, axis] = parameters as Json[];
    if (got.qscheme() === 'torch.per_tensor_affine') {
      expect([at, got.qScale(), got.qZeroPoint()]).toEqual([at, Number(scale), zero]);
      return;
    }
    this.match(got.qPerChannelScales(), scale!, `${at}.qPerChannelScales()`);
    this.match(got.qPerChannelZeroPoints(), zero!, `${at}.qPerChannelZeroPoints()`);
    expect([at, got.qPerChannelAxis()]).toEqual([at, axis]);
  }

  private tensor(got: unknown, want: RecordedTensor, at: string): void {
    if (!(got instanceof torch.Tensor)) throw new Error(`${at}: no tensor`);
    const found = {
      dtype: got.dtype.name,
      shape: [...got.shape],
      bytes: elements(got.detach()),
      requires_grad: got.requiresGrad,
      parameter: got instanceof torch.serialization.StoredTensor ? got.isParameter : got instanceof nn.Parameter,
      ...(this.geometry ? { stride: got.stride(), offset: got.storageOffset() } : {}),
    };
    for (const [name, value] of Object.entries(found)) {
      const expected = want[name as keyof RecordedTensor];
      // The strides of an empty tensor mean nothing.
      if (name === 'stride' && got.numel() === 0) continue;
      if (JSON.stringify(value) !== JSON.stringify(expected)) {
        throw new Error(`${at}: ${name} is ${JSON.stringify(value)}, expected ${JSON.stringify(expected)}`);
      }
    }
    if (!this.geometry || want.storage === null || got.numel() === 0) return;
    const id = storageOf(got);
    if (!this.found.has(id)) this.found.set(id, this.found.size);
    if (!this.recorded.has(want.storage)) this.recorded.set(want.storage, this.recorded.size);
    if (this.found.get(id) !== this.recorded.get(want.storage)) throw new Error(`${at}: other memory is shared`);
  }
}

// torch.loadSharded: checkpoints that are spread over several files.
import fs from 'node:fs';
import path from 'node:path';
import { kindOf, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { openSource } from './bytes.js';
import { fileKind, load, withSource } from './load.js';
import { checkFlag, checkOptions } from './options.js';
import { entriesOf, isPlainObject, plainObject } from './python.js';
import { openSafetensors } from './safetensors_open.js';
import { findShards, type ShardIndex } from './shard_index.js';
import type { MapLocation } from './storage_loader.js';

/** Options of `torch.loadSharded`. */
export interface LoadShardedOptions {
  /** Which tensors: their names, or a test of a name; default: all. Files without a wanted tensor are not opened. */
  keys?: Iterable<string> | ((name: string) => boolean);
  /** Whether tensors lie on the pages of the files, as with `torch.load` (default false). */
  mmap?: boolean;
  /** Where storages go, as with `torch.load`. */
  mapLocation?: MapLocation;
}

const OPTIONS = new Set(['keys', 'mmap', 'mapLocation']);

type Wanted = (name: string) => boolean;

/** Names for a message: few of them, and none of them long. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => `'${name.slice(0, 80)}'`);
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}

function wantedNames({ keys }: LoadShardedOptions): Wanted | Set<string> {
  if (keys === undefined) return () => true;
  if (typeof keys === 'function') return keys;
  if (typeof keys === 'string' || typeof keys !== 'object' || keys === null || !(Symbol.iterator in keys)) {
    throw new TypeError(`loadSharded(): argument 'keys' must be names or a function, not ${kindOf(keys)}`);
  }
  return new Set(keys);
}

/** The tensors of a file of torch.save by name. */
function readDict(file: string, { mmap = false, mapLocation }: LoadShardedOptions): Map<string, Tensor> {
  const value = load(file, { mmap, ...(mapLocation === undefined ? {} : { mapLocation }) });
  const entries =
    value instanceof Map
      ? [...(value as Map<unknown, unknown>)]
      : value !== null && typeof value === 'object' && isPlainObject(value)
        ? entriesOf(value as Record<string, unknown>)
        : null;
  if (!entries) throw new RuntimeError(`${file} holds no state dict but ${kindOf(value)}`);
  const wrong = entries.find(([name, t]) => typeof name !== 'string' || !(t instanceof Tensor));
  if (wrong) throw new RuntimeError(`${file} is no state dict: '${String(wrong[0])}' is ${kindOf(wrong[1])}`);
  return new Map(entries as [string, Tensor][]);
}

/** Compares the names in a file with what the index says. */
function checkNames(index: string, file: string, found: ReadonlySet<string>, expected: readonly string[] | null): void {
  if (expected === null) return;
  const missing = expected.filter((name) => !found.has(name));
  if (missing.length > 0) throw new RuntimeError(`${file} lacks what ${index} says it holds: ${listed(missing)}`);
  const known = new Set(expected);
  const more = [...found].filter((name) => !known.has(name));
  if (more.length > 0) throw new RuntimeError(`${file} holds what ${index} does not say: ${listed(more)}`);
}

/** Adds the wanted tensors of one file. */
function readShard(
  index: ShardIndex,
  file: string,
  wanted: Wanted,
  options: LoadShardedOptions,
  into: Map<string, Tensor>,
): void {
  const expected = index.shards.get(file)!;
  if (withSource(openSource(file, 'loadSharded()'), fileKind) !== 'safetensors') {
    const dict = readDict(file, options);
    checkNames(index.name, file, new Set(dict.keys()), expected);
    for (const [name, t] of dict) if (wanted(name)) into.set(name, t);
    return;
  }
  const { mmap = false, mapLocation } = options;
  const shard = openSafetensors(openSource(file, 'loadSharded()'), { mmap, device: mapLocation });
  try {
    const names = shard.headerKeys();
    checkNames(index.name, file, new Set(names), expected);
    for (const name of names) if (wanted(name)) into.set(name, shard.getTensor(name));
  } finally {
    shard.close();
  }
}

/**
 * Loads a checkpoint that is spread over several files with a JSON index, as large models are published:
 * `model.safetensors.index.json` with its `model-00001-of-00002.safetensors` ..., or `pytorch_model.bin.index.json` with files of
 * torch.save. A checkpoint of a single file loads too.
 * @param file the index, a folder that holds it, or a single file
 * @param options `keys`: names or a test of a name (default: all tensors); `mmap`: leave tensors in the files (default false);
 *   `mapLocation`, as for `load` (default null)
 * @returns the tensors by name, in the order of the index
 * @throws RuntimeError for an index that is malformed, names files outside its folder or does not agree with the files it names,
 *   for files that are missing (all are named), and for names in `keys` that are not there
 * @throws TypeError for wrong arguments
 */
export function loadSharded(file: string | URL, options: LoadShardedOptions = {}): Record<string, Tensor> {
  if (typeof file !== 'string' && !(file instanceof URL)) {
    throw new TypeError(`loadSharded(): argument 'file' must be a path, not ${kindOf(file)}`);
  }
  checkOptions('loadSharded()', options, OPTIONS);
  checkFlag('loadSharded()', 'mmap', options.mmap);
  const keys = wantedNames(options);
  const wanted: Wanted = keys instanceof Set ? (name) => keys.has(name) : keys;
  const index = findShards(file);
  const needed = [...index.shards].filter(([, names]) => names === null || names.some(wanted)).map(([name]) => name);
  const absent = needed.filter((name) => !fs.existsSync(name));
  if (absent.length > 0) {
    throw new RuntimeError(
      `${index.name} names files that are missing: ${listed(absent.map((f) => path.basename(f)))}`,
    );
  }
  const found = new Map<string, Tensor>();
  for (const shard of needed) readShard(index, shard, wanted, options, found);
  if (keys instanceof Set) {
    const unknown = [...keys].filter((name) => !found.has(name));
    if (unknown.length > 0) throw new RuntimeError(`${index.name} holds no tensor called ${listed(unknown)}`);
  }
  const order = index.names ?? [...found.keys()];
  return plainObject(order.filter((name) => found.has(name)).map((name) => [name, found.get(name)!] as const));
}

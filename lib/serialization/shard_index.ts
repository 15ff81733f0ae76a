// The JSON index of a checkpoint that is spread over several files, as large models are published.
import fs from 'node:fs';
import path from 'node:path';
import { RuntimeError } from '../core/errors.js';
import { filePath, openSource, readBytes } from './bytes.js';
import { withSource } from './load.js';
import { type JsonValue, parseStrictJson } from './strict_json.js';

/** As the limit of a safetensors header. */
const MAX_INDEX = 100_000_000;

/** The files that a folder with a checkpoint is expected to hold, the better one first. */
const KNOWN = [
  'model.safetensors.index.json',
  'model.safetensors',
  'pytorch_model.bin.index.json',
  'pytorch_model.bin',
  'diffusion_pytorch_model.safetensors.index.json',
  'diffusion_pytorch_model.safetensors',
];

/** Which tensors lie in which file. */
export interface ShardIndex {
  /** What error messages call the checkpoint. */
  readonly name: string;
  /** The names of each file's tensors, by the file's path; in the order of the index. Null for a file without an index. */
  readonly shards: ReadonlyMap<string, readonly string[] | null>;
  /** All names in the order of the index; null without one. */
  readonly names: readonly string[] | null;
}

function isObject(value: JsonValue | undefined): value is Map<string, JsonValue> {
  return value instanceof Map;
}

/**
 * A file named by an index, inside the index's folder. Links are followed: the caches of published models consist of them.
 * @throws RuntimeError for a name that leads out of the folder.
 */
function shardPath(index: string, name: string): string {
  const parts = name.split('/');
  if (name.length > 1024 || parts.some((part) => part === '' || part === '.' || part === '..' || /[\\\0]/.test(part))) {
    throw new RuntimeError(`${index} names a file outside its folder: ${JSON.stringify(name.slice(0, 80))}`);
  }
  return path.join(path.dirname(index), ...parts);
}

function readIndex(file: string): ShardIndex {
  const text = withSource(openSource(file, 'loadSharded()'), (source) => {
    if (source.size > MAX_INDEX) throw new RuntimeError(`${file} is too large for an index: ${source.size} bytes`);
    const bytes = readBytes(source, 0, source.size);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new RuntimeError(`${file} is not UTF-8`);
    }
  });
  const index = parseStrictJson(text, file);
  const weights = isObject(index) ? index.get('weight_map') : undefined;
  if (!isObject(weights)) throw new RuntimeError(`${file} is no index of a checkpoint: it has no object 'weight_map'`);
  const shards = new Map<string, string[]>();
  for (const [key, shard] of weights) {
    if (typeof shard !== 'string') throw new RuntimeError(`${file} names no file for '${key.slice(0, 60)}'`);
    const target = shardPath(file, shard);
    const keys = shards.get(target);
    if (keys) keys.push(key);
    else shards.set(target, [key]);
  }
  return { name: file, shards, names: [...weights.keys()] };
}

/** The index or only file of a checkpoint in a folder. */
function findInFolder(folder: string): string {
  const files = new Set(fs.readdirSync(folder));
  const known = KNOWN.find((name) => files.has(name));
  if (known !== undefined) return path.join(folder, known);
  const indices = [...files].filter((name) => name.endsWith('.index.json'));
  if (indices.length === 1) return path.join(folder, indices[0]!);
  throw new RuntimeError(
    indices.length === 0
      ? `${folder} holds no checkpoint: neither an index (*.index.json) nor ${KNOWN[1]} or ${KNOWN[3]}`
      : `${folder} holds several checkpoints, name the index of one: ${indices.sort().join(', ').slice(0, 400)}`,
  );
}

/**
 * Finds a checkpoint.
 * @param file an index, a folder with one, or a checkpoint of a single file.
 * @throws RuntimeError for a folder without a checkpoint, or an index that is malformed or names files outside its folder.
 */
export function findShards(file: string | URL): ShardIndex {
  const given = filePath(file);
  const found = fs.statSync(given).isDirectory() ? findInFolder(given) : given;
  if (found.endsWith('.json')) return readIndex(found);
  return { name: found, shards: new Map([[found, null]]), names: null };
}

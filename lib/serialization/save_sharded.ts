// torch.saveSharded: a checkpoint spread over several files, with an index.
import fs from 'node:fs';
import path from 'node:path';
import { kindOf } from '../core/errors.js';
import { storageBytes, storageId } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { filePath } from './bytes.js';
import { checkOptions } from './options.js';
import { entriesOf } from './python.js';
import { type NamedTensors, safetensorsPieces } from './safetensors.js';
import { archivePieces } from './save.js';
import { type Pieces, writeFilesAtomically } from './sink.js';

/** Options of `torch.saveSharded`. */
export interface SaveShardedOptions {
  /**
   * The most bytes of tensors in a file: a number, or a text with a unit, as '500MB' (powers of 1000) or '2GiB' (powers of 1024);
   * default '5GB'. A single tensor that is larger has a file of its own.
   */
  maxShardSize?: number | string;
  /** 'safetensors' (default), or 'pytorch' for files of torch.save. */
  format?: 'safetensors' | 'pytorch';
  /** What the files are called before their number; default 'model', and 'pytorch_model' for files of torch.save. */
  name?: string;
  /** Text pairs for the index beside the total size, and for the headers of safetensors files. */
  metadata?: Record<string, string>;
}

const OPTIONS = new Set(['maxShardSize', 'format', 'name', 'metadata']);
const FORMATS = {
  safetensors: { name: 'model', ending: 'safetensors' },
  pytorch: { name: 'pytorch_model', ending: 'bin' },
} as const;
const UNITS: Record<string, number> = { B: 1 };
for (const [i, letter] of [...'KMGT'].entries()) {
  UNITS[`${letter}B`] = 1000 ** (i + 1);
  UNITS[`${letter}iB`] = 1024 ** (i + 1);
}

function bytesIn(size: number | string): number {
  const match = typeof size === 'string' ? /^(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)$/.exec(size) : null;
  const bytes = match ? Math.floor(Number(match[1]) * UNITS[match[2]!]!) : size;
  if (typeof bytes !== 'number' || !(bytes >= 1)) {
    throw new TypeError(
      `saveSharded(): argument 'maxShardSize' must be a number of bytes or a text like '5GB', not ${typeof size === 'string' ? `'${size}'` : kindOf(size)}`,
    );
  }
  return bytes;
}

interface Shard {
  readonly tensors: [string, Tensor][];
  bytes: number;
}

/**
 * Cuts the entries into shards in their order. In files of torch.save, tensors that share a storage stay together, so that it
 * is written once and shared again when loaded.
 */
function split(entries: readonly [string, Tensor][], limit: number, shared: boolean): Shard[] {
  const shards: Shard[] = [];
  const homes = new Map<number, Shard>();
  for (const [name, t] of entries) {
    const home = shared ? homes.get(storageId(t)) : undefined;
    if (home) {
      home.tensors.push([name, t]);
      continue;
    }
    const bytes = shared ? storageBytes(t) : t.nbytes;
    let last = shards[shards.length - 1];
    if (!last || (last.bytes + bytes > limit && last.tensors.length > 0))
      shards.push((last = { tensors: [], bytes: 0 }));
    last.tensors.push([name, t]);
    last.bytes += bytes;
    if (shared) homes.set(storageId(t), last);
  }
  return shards.length > 0 ? shards : [{ tensors: [], bytes: 0 }];
}

/** Files of an earlier checkpoint of the same name that the new one does not have. */
function staleFiles(folder: string, name: string, ending: string, kept: ReadonlySet<string>): string[] {
  const own = new RegExp(`^${name.replace(/[^\w]/g, '\\$&')}(-\\d{5,}-of-\\d{5,})?\\.${ending}(\\.index\\.json)?$`);
  return fs.readdirSync(folder).filter((file) => own.test(file) && !kept.has(file));
}

/**
 * Saves tensors as a checkpoint of several files with a JSON index, the way large models are published: of safetensors files
 * `model-00001-of-00002.safetensors` ... with `model.safetensors.index.json`, or of files of torch.save
 * `pytorch_model-00001-of-00002.bin` ... with `pytorch_model.bin.index.json`. What fits in one file gives `model.safetensors` or
 * `pytorch_model.bin` without an index. All files are on disk before the first takes its name, and files of an earlier checkpoint
 * of the same name are removed at the end.
 * @param stateDict tensors by name: a plain object, a Map or a state dict
 * @param folder where the files go; made if it is not there
 * @param options `maxShardSize` in bytes or as a text (default '5GB'), `format` (default 'safetensors', or 'pytorch'), `name`
 *   (default 'model', or 'pytorch_model'), `metadata` (default none); see `SaveShardedOptions`
 * @returns the paths of all files written, the index (if there is one) last
 * @throws TypeError for a value that is no tensor, a type that the format lacks, or wrong arguments; Node's own error if a file
 *   cannot be written
 */
export function saveSharded(stateDict: NamedTensors, folder: string | URL, options: SaveShardedOptions = {}): string[] {
  if (typeof folder !== 'string' && !(folder instanceof URL)) {
    throw new TypeError(`saveSharded(): argument 'folder' must be a path, not ${kindOf(folder)}`);
  }
  checkOptions('saveSharded()', options, OPTIONS);
  const { maxShardSize = '5GB', format = 'safetensors', metadata = {} } = options;
  const limit = bytesIn(maxShardSize);
  if (!Object.hasOwn(FORMATS, format)) {
    throw new TypeError(`saveSharded(): argument 'format' must be 'safetensors' or 'pytorch', not '${String(format)}'`);
  }
  const { name: standard, ending } = FORMATS[format];
  const { name = standard } = options;
  if (typeof name !== 'string' || !/^[^/\\\0]+$/.test(name)) {
    throw new TypeError(`saveSharded(): argument 'name' must be the beginning of a file's name`);
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw new TypeError(`saveSharded(): the metadata '${key}' is no string but ${kindOf(value)}`);
    }
  }
  const entries = entriesOf(stateDict as Record<string, Tensor>);
  for (const [key, t] of entries) {
    if (!(t instanceof Tensor)) throw new TypeError(`saveSharded(): '${key}' is not a Tensor but ${kindOf(t)}`);
  }
  const into = filePath(folder);
  const shards = split(entries, limit, format === 'pytorch');
  const digits = (n: number): string => String(n).padStart(5, '0');
  const fileName = (i: number): string =>
    shards.length === 1 ? `${name}.${ending}` : `${name}-${digits(i + 1)}-of-${digits(shards.length)}.${ending}`;
  const files = shards.map(({ tensors }, i): [string, Pieces] => {
    const file = path.join(into, fileName(i));
    const held = new Map(tensors);
    return [
      file,
      format === 'pytorch' ? archivePieces(held, file) : safetensorsPieces(held, { format: 'pt', ...metadata }),
    ];
  });
  if (shards.length > 1) {
    const where = new Map(shards.flatMap(({ tensors }, i) => tensors.map(([key]) => [key, fileName(i)] as const)));
    const index = indexText(
      { ...metadata },
      shards,
      [...entries].map(([key]) => [key, where.get(key)!]),
    );
    files.push([path.join(into, `${name}.${ending}.index.json`), single(index)]);
  }
  fs.mkdirSync(into, { recursive: true });
  writeFilesAtomically(files);
  const kept = new Set(files.map(([file]) => path.basename(file)));
  for (const file of staleFiles(into, name, ending, kept)) fs.rmSync(path.join(into, file));
  return files.map(([file]) => file);
}

/** The index as the library that publishes such models writes it. Keys may be any text, so no object holds them. */
function indexText(
  metadata: Record<string, string>,
  shards: readonly Shard[],
  map: readonly [string, string][],
): Buffer {
  const total = shards.reduce((n, { bytes }) => n + bytes, 0);
  const pairs = map.map(([key, file]) => `    ${JSON.stringify(key)}: ${JSON.stringify(file)}`);
  const head = JSON.stringify({ ...metadata, total_size: total }, null, 2).replace(/\n/g, '\n  ');
  return Buffer.from(`{\n  "metadata": ${head},\n  "weight_map": {\n${pairs.join(',\n')}\n  }\n}\n`);
}

function* single(bytes: Uint8Array): Pieces {
  yield bytes;
}

// Reading whatever holds tensors.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import torch, { type Tensor } from '../index.js';
import { CliError, cannotRead } from './errors.js';

type Listing = ReturnType<typeof torch.inspectFile>;

/** What a file holds; `sharded` is the index of a checkpoint in several files. */
export interface FileListing extends Omit<Listing, 'format'> {
  format: Listing['format'] | 'sharded';
}
export type FileFormat = FileListing['format'];

export const isIndex = (file: string): boolean => file.endsWith('.index.json');

/** The files that an index names. */
export function shardsOf(file: string): string[] {
  const { weight_map: map } = JSON.parse(readFileSync(file, 'utf8')) as { weight_map: Record<string, string> };
  return [...new Set(Object.values(map))].map((name) => path.join(path.dirname(file), name));
}

/** Lists the tensors of a checkpoint in several files; mapped, so that none is read. */
function listShards(file: string): FileListing {
  const tensors = Object.entries(loadShards(file, true)).map(([name, t]) => ({
    name,
    dtype: String(t.dtype).replace('torch.', ''),
    shape: [...t.shape],
    bytes: t.nbytes,
  }));
  const size = shardsOf(file).reduce((sum, shard) => sum + statSync(shard).size, 0);
  return { format: 'sharded', size, tensors, values: [], bytes: tensors.reduce((sum, t) => sum + t.bytes, 0) };
}

function loadShards(file: string, lazy: boolean): Record<string, Tensor> {
  const legacy = shardsOf(file).some((shard) => torch.inspectFile(shard).format === 'pytorch (legacy)');
  return torch.loadSharded(file, { mmap: lazy && !legacy });
}

/**
 * What a file holds, without the data of its tensors.
 * @throws CliError if it cannot be read.
 */
export function listFile(file: string): FileListing {
  try {
    return isIndex(file) ? listShards(file) : torch.inspectFile(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
}

/** How a file is read. */
export interface ReadingOptions {
  /** Whether modules are allowed; nothing of a file is ever run. */
  modules?: boolean;
  /** Whether tensors may stay on the disk until they are used; checksums are not compared then. */
  lazy?: boolean;
}

async function readArray(file: string, name: string | undefined): Promise<Tensor> {
  const array = torch.serialization.openArray(file, name);
  try {
    return await array.read();
  } finally {
    array.close();
  }
}

/**
 * Everything in a file of tensors: what `torch.load` gives, or tensors by name.
 * @param format if it is known already.
 * @throws CliError if the file cannot be read.
 */
export async function readTensors(
  file: string,
  format: FileFormat = listFile(file).format,
  { modules = false, lazy = false }: ReadingOptions = {},
): Promise<unknown> {
  try {
    switch (format) {
      case 'safetensors':
        return torch.safetensors.loadFile(file, { mmap: lazy });
      case 'sharded':
        return loadShards(file, lazy);
      case 'npy':
        return await readArray(file, undefined);
      case 'npz': {
        const arrays: [string, Tensor][] = [];
        for (const { name } of torch.inspectFile(file).tensors) arrays.push([name, await readArray(file, name)]);
        return Object.fromEntries(arrays);
      }
      case 'torchscript':
        throw new CliError(`${file} is a TorchScript archive: it holds a program, of which only a listing can be read`);
      default:
        return torch.load(file, { weightsOnly: !modules, mmap: lazy && format === 'pytorch' });
    }
  } catch (error) {
    throw cannotRead(file, error);
  }
}

// flambeau diff: what two files of tensors have not in common.
import { Command } from 'commander';
import type { Tensor } from '../../index.js';
import { readTensors } from '../checkpoint.js';
import { CliError, EXIT } from '../errors.js';
import { brief, count, table } from '../format.js';
import { nonNegative } from '../options.js';
import { bytesOf, computable, distanceOf, type Flat, flatten, partOf } from '../tensors.js';

interface DiffOptions {
  atol: number;
  rtol: number;
  key?: string;
  json?: boolean;
}

/** One difference. */
interface Difference {
  key: string;
  kind: 'only in first' | 'only in second' | 'shape' | 'dtype' | 'elements' | 'value';
  first?: unknown;
  second?: unknown;
  largest?: number;
  relative?: number;
  differing?: number;
  elements?: number;
}

async function read(file: string, key: string | undefined): Promise<Flat> {
  const value = await readTensors(file, undefined, { modules: true, lazy: true });
  try {
    return flatten(key === undefined ? value : partOf(value, key));
  } catch (error) {
    throw error instanceof CliError ? new CliError(`${file}: ${error.message}`) : error;
  }
}

const typeOf = (t: Tensor): string => String(t.dtype).replace('torch.', '');

function compareTensors(key: string, a: Tensor, b: Tensor, { atol, rtol }: DiffOptions): Difference[] {
  if (a.shape.join() !== b.shape.join()) return [{ key, kind: 'shape', first: [...a.shape], second: [...b.shape] }];
  const found: Difference[] = [];
  if (a.dtype !== b.dtype) found.push({ key, kind: 'dtype', first: typeOf(a), second: typeOf(b) });
  const [x, y] = [computable(a), computable(b)];
  if (x === null || y === null) {
    // Types that are kept as bytes.
    if (a.dtype === b.dtype && !bytesOf(a).equals(bytesOf(b))) found.push({ key, kind: 'elements' });
    return found;
  }
  const distance = distanceOf(x, y, atol, rtol);
  if (distance.differing > 0) found.push({ key, kind: 'elements', ...distance, elements: a.numel() });
  return found;
}

/** A value as text, for comparing and showing; a bigint and containers too. */
function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, v: unknown) => {
      if (typeof v === 'bigint') return `${v}n`;
      if (v instanceof Map) return Object.fromEntries(v);
      if (v instanceof Set) return [...v];
      if (v instanceof Uint8Array) return Buffer.from(v).toString('hex');
      if (typeof v === 'number' && !Number.isFinite(v)) return String(v);
      return v;
    }) ?? String(value)
  );
}

async function compare(
  first: string,
  second: string,
  options: DiffOptions,
): Promise<{ found: Difference[]; tensors: number }> {
  const [a, b] = [await read(first, options.key), await read(second, options.key)];
  const found: Difference[] = [];
  for (const [key, t] of a.tensors) {
    const other = b.tensors.get(key);
    if (other) found.push(...compareTensors(key, t, other, options));
    else found.push({ key, kind: 'only in first', first: `${typeOf(t)} [${t.shape.join(', ')}]` });
  }
  for (const [key, t] of b.tensors)
    if (!a.tensors.has(key))
      found.push({ key, kind: 'only in second', second: `${typeOf(t)} [${t.shape.join(', ')}]` });
  for (const [key, value] of a.values) {
    if (!b.values.has(key)) found.push({ key, kind: 'only in first', first: textOf(value) });
    else if (textOf(value) !== textOf(b.values.get(key)))
      found.push({ key, kind: 'value', first: textOf(value), second: textOf(b.values.get(key)) });
  }
  for (const [key, value] of b.values)
    if (!a.values.has(key)) found.push({ key, kind: 'only in second', second: textOf(value) });
  // The largest differences first; what has none keeps its order before them.
  const [measured, others] = [
    found.filter((d) => d.largest !== undefined),
    found.filter((d) => d.largest === undefined),
  ];
  measured.sort((x, y) => (x.largest === y.largest ? 0 : y.largest! - x.largest!));
  found.splice(0, found.length, ...others, ...measured);
  return { found, tensors: new Set([...a.tensors.keys(), ...b.tensors.keys()]).size };
}

function cells(d: Difference): string[] {
  const short = (value: unknown): string => {
    const text = typeof value === 'string' ? value : textOf(value).replaceAll(',', ', ');
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
  };
  switch (d.kind) {
    case 'elements':
      if (d.largest === undefined) return [d.key, d.kind, 'other bytes'];
      return [
        d.key,
        `${d.differing} of ${d.elements} elements`,
        `largest ${brief(d.largest!)}, relative ${brief(d.relative!)}`,
      ];
    case 'only in first':
      return [d.key, d.kind, short(d.first)];
    case 'only in second':
      return [d.key, d.kind, short(d.second)];
    default:
      return [d.key, d.kind, `${short(d.first)} -> ${short(d.second)}`];
  }
}

async function diff(first: string, second: string, options: DiffOptions): Promise<void> {
  const { found, tensors } = await compare(first, second, options);
  if (options.json) {
    // JSON has no infinity.
    const finite = (_: string, v: unknown): unknown => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v);
    const report = { first, second, same: found.length === 0, tensors, differences: found };
    process.stdout.write(`${JSON.stringify(report, finite, 2)}\n`);
  } else if (found.length === 0) process.stdout.write(`no difference in ${count(tensors, 'tensor')}\n`);
  else process.stdout.write(`${table(found.map(cells))}\n\n${count(found.length, 'difference')}\n`);
  process.exitCode = found.length === 0 ? EXIT.ok : EXIT.no;
}

/** `flambeau diff`. */
export function diffCommand(): Command {
  return new Command('diff')
    .description(
      'Compare two files of tensors: keys, shapes, types, elements, other values. Exit code 1 if they differ.',
    )
    .argument(
      '<first>',
      'a file of torch.save, .safetensors, .npy or .npz, or the index of a checkpoint in several files',
    )
    .argument('<second>', 'another one; the formats may differ')
    .option('--atol <x>', 'elements may differ by x', nonNegative, 0)
    .option('--rtol <x>', "and by x times the second one's size", nonNegative, 0)
    .option('--key <path>', 'compare only the part under this key, as model_state_dict')
    .option('--json', 'as JSON')
    .action(diff);
}

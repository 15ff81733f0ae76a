// flambeau inspect: what a file holds.
import { Command } from 'commander';
import { type FileListing, listFile, readTensors } from '../checkpoint.js';
import { CliError } from '../errors.js';
import { brief, count, size, table, tree } from '../format.js';
import { computable, flatten, type Statistics, statisticsOf } from '../tensors.js';

interface Row {
  key: string;
  dtype: string;
  shape: readonly number[];
  bytes: number;
  storage?: string;
  requiresGrad?: boolean;
  parameter?: boolean;
  layout?: string;
  stats?: Statistics;
}

/** The tensors that lie in one storage, where there are several. */
function sharing(rows: readonly Row[]): string[][] {
  const groups = new Map<string, string[]>();
  for (const { storage, key } of rows)
    if (storage !== undefined) groups.set(storage, [...(groups.get(storage) ?? []), key]);
  return [...groups.values()].filter((keys) => keys.length > 1);
}

async function addStatistics(file: string, listing: FileListing, rows: readonly Row[]): Promise<void> {
  const { tensors } = flatten(await readTensors(file, listing.format, { modules: true, lazy: true }));
  for (const row of rows) {
    const t = tensors.get(row.key);
    const plain = t === undefined ? null : computable(t);
    if (plain !== null) row.stats = statisticsOf(plain);
  }
}

function statisticsCells({ stats }: Row): string[] {
  if (stats === undefined) return ['', '', '', '', ''];
  const { min, max, mean, std, zeros, nan, inf } = stats;
  const notes = [
    [zeros, 'zero'],
    [nan, 'nan'],
    [inf, 'inf'],
  ] as const;
  return [
    ...[min, max, mean, std].map((n) => (n === null ? '-' : brief(n))),
    notes.flatMap(([n, name]) => (n > 0 ? [`${n} ${name}`] : [])).join(', '),
  ];
}

async function inspect(file: string, options: { json?: boolean; stats?: boolean }): Promise<void> {
  const listing = listFile(file);
  const rows: Row[] = listing.tensors.map(({ name, dtype, ...rest }) => ({
    key: name,
    ...rest,
    dtype: dtype.replace('torch.', ''),
  }));
  if (options.stats) {
    if (listing.format === 'torchscript')
      throw new CliError(`${file} is a TorchScript archive; statistics of its tensors are not available`);
    await addStatistics(file, listing, rows);
  }
  const parameters = rows.reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1), 0);
  const shared = sharing(rows);
  if (options.json) {
    const report = {
      file,
      format: listing.format,
      size: listing.size,
      tensors: rows,
      shared,
      values: Object.fromEntries(listing.values),
      parameters,
      bytes: listing.bytes,
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const sections = [`${file}: ${listing.format}, ${size(listing.size)}`];
  if (rows.length > 0) {
    const heading = ['key', 'dtype', 'shape', 'bytes', ...(options.stats ? ['min', 'max', 'mean', 'std', ''] : [])];
    const lines = tree(rows.map((row) => [row.key === '' ? '(the tensor)' : row.key, row])).map(([label, row]) => {
      if (row === null) return [label, ...heading.slice(1).map(() => '')];
      const shape = `[${row.shape.join(', ')}]${row.layout === undefined ? '' : ` ${row.layout}`}`;
      return [label, row.dtype, shape, size(row.bytes), ...(options.stats ? statisticsCells(row) : [])];
    });
    sections.push(table([heading, ...lines]));
  }
  if (shared.length > 0) sections.push(`shared storages\n${shared.map((keys) => `  ${keys.join(' = ')}`).join('\n')}`);
  if (listing.values.length > 0) sections.push(table(listing.values.map(([key, text]) => [key, text])));
  sections.push(`${count(rows.length, 'tensor')}, ${count(parameters, 'parameter')}, ${size(listing.bytes)}`);
  process.stdout.write(`${sections.join('\n\n')}\n`);
}

/** `flambeau inspect`. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'List the tensors in a file as a tree of their keys: types, shapes, sizes, shared storages, other values.',
    )
    .argument(
      '<file>',
      'a file of torch.save, a TorchScript archive, .safetensors, .npy or .npz, or the index of a checkpoint in several files',
    )
    .option('--stats', 'least, largest, mean and standard deviation of each tensor; reads the data')
    .option('--json', 'as JSON')
    .action(inspect);
}

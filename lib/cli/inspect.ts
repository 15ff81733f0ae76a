// flambeau inspect: what a file holds.
import torch from '../index.js';
import { CliError, messageOf } from './errors.js';

/** 1234567 as '1.18 MiB'. */
function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

const count = (n: number, noun: string): string => `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;

/** Columns padded to equal widths; the last one as it is. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((r) => r[c]!.length)));
  return rows
    .map((r) => r.map((cell, c) => (c === r.length - 1 ? cell : cell.padEnd(widths[c]!))).join('  '))
    .join('\n');
}

/**
 * Writes the listing of a file to standard output.
 * @throws CliError if the file cannot be read.
 */
export function inspect(file: string, json: boolean): void {
  let listing: ReturnType<typeof torch.inspectFile>;
  try {
    listing = torch.inspectFile(file);
  } catch (error) {
    throw new CliError(`cannot read ${file}: ${messageOf(error)}`);
  }
  const tensors = listing.tensors.map((t) => ({
    key: t.name,
    dtype: String(t.dtype).replace('torch.', ''),
    shape: [...t.shape],
    bytes: t.bytes,
  }));
  const parameters = tensors.reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1), 0);
  if (json) {
    const values = Object.fromEntries(listing.values);
    const report = {
      file,
      format: listing.format,
      size: listing.size,
      tensors,
      values,
      parameters,
      bytes: listing.bytes,
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const lines = [`${file}: ${listing.format}, ${size(listing.size)}`];
  if (tensors.length > 0) {
    const rows = tensors.map((t) => [t.key || '(the tensor)', t.dtype, `[${t.shape.join(', ')}]`, size(t.bytes)]);
    lines.push('', table([['key', 'dtype', 'shape', 'bytes'], ...rows]));
  }
  if (listing.values.length > 0) lines.push('', table(listing.values.map(([key, text]) => [key, text])));
  lines.push('', `${count(tensors.length, 'tensor')}, ${count(parameters, 'parameter')}, ${size(listing.bytes)}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

// The printed form of a summary: a tree of modules beside columns of numbers.
import type { Shapes, SummaryRow } from './summary.js';

/** A whole number with separators: 1,234,567. */
export const countText = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: 0 });

/** A number of bytes in the unit that leaves three digits or so before the point. */
export function bytesText(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  let value = n;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at++;
  }
  return `${at === 0 ? value : value.toFixed(2)} ${units[at]}`;
}

/** The sizes of the tensors in an output, one after the other. */
function shapeText(shapes: Shapes): string {
  if (shapes === null) return '-';
  if (!Array.isArray(shapes)) return Object.values(shapes).map(shapeText).join(', ');
  if (shapes.every((n) => typeof n === 'number')) return `[${shapes.join(', ')}]`;
  return (shapes as readonly Shapes[]).map(shapeText).join(', ');
}

const HEAD = ['Layer', 'Output shape', 'Parameters', 'Multiply-adds', 'Bytes'];

/** Rows down to a depth, with the numbers of those below added to the last that is shown. */
function folded(rows: readonly SummaryRow[], depth: number): SummaryRow[] {
  const shown: SummaryRow[] = [];
  for (const row of rows) {
    if (row.depth <= depth) {
      shown.push({ ...row });
      continue;
    }
    const last = shown[shown.length - 1]!;
    last.parameters += row.parameters;
    last.multiplyAdds += row.multiplyAdds;
    last.bytes += row.bytes;
  }
  return shown;
}

/** The lines that lead to each row in the tree. */
function branches(rows: readonly SummaryRow[]): string[] {
  return rows.map((row, i) => {
    if (row.depth === 0) return '';
    let text = '';
    for (let d = 1; d <= row.depth; d++) {
      // Whether another module follows at this level before the tree goes back above it.
      let more = false;
      for (let k = i + 1; k < rows.length && rows[k]!.depth >= d && !more; k++) more = rows[k]!.depth === d;
      text += d === row.depth ? (more ? '├─ ' : '└─ ') : more ? '│  ' : '   ';
    }
    return text;
  });
}

/** The table of rows down to a depth, and lines below it. */
export function table(rows: readonly SummaryRow[], depth: number, footer: readonly string[]): string {
  const shown = folded(rows, depth);
  const lead = branches(shown);
  const count = (n: number): string => (n === 0 ? '-' : countText(n));
  const cells = shown.map((row, i) => [
    `${lead[i]}${row.depth === 0 ? row.type : `${row.name.split('.').at(-1)}: ${row.type}`}`,
    shapeText(row.outputShape),
    count(row.parameters),
    count(row.multiplyAdds),
    count(row.bytes),
  ]);
  const widths = HEAD.map((title, c) => Math.max(title.length, ...cells.map((line) => line[c]!.length)));
  const lineOf = (line: readonly string[]): string =>
    line
      .map((cell, c) => (c < 2 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join('  ')
      .trimEnd();
  const width = Math.max(widths.reduce((a, b) => a + b) + 2 * (HEAD.length - 1), ...footer.map((l) => l.length));
  const rule = '-'.repeat(width);
  return [lineOf(HEAD), rule, ...cells.map(lineOf), rule, ...footer].join('\n');
}

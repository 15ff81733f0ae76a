// Text for people: sizes, counts, tables, trees.

/** 1234567 as '1.18 MiB'. */
export function size(bytes: number): string {
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

/** 1234 and 'tensor' as '1,234 tensors'. */
export const count = (n: number, noun: string): string => `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;

/** A number with few digits, for a table. */
export const brief = (n: number): string =>
  Number.isInteger(n) && Math.abs(n) < 1e9 ? String(n) : String(Number(n.toPrecision(5)));

/** Columns padded to equal widths; the last one as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const widths = rows[0]!.map((_, c) => rows.reduce((most, r) => Math.max(most, r[c]!.length), 0));
  return rows
    .map((r) =>
      r
        .map((cell, c) => (c === r.length - 1 ? cell : cell.padEnd(widths[c]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

interface Branch<T> {
  children: Map<string, Branch<T>>;
  leaf: T | null;
}

/**
 * Names with dots as a tree, in the order of their first appearance: `fc.weight` hangs below `fc`.
 * @returns a line for each node: its label with the lines that lead to it, and its leaf, or null for a node between.
 */
export function tree<T>(leaves: readonly (readonly [string, T])[]): [string, T | null][] {
  const root: Branch<T> = { children: new Map(), leaf: null };
  for (const [name, leaf] of leaves) {
    let node = root;
    for (const part of name.split('.')) {
      let child = node.children.get(part);
      if (!child) node.children.set(part, (child = { children: new Map(), leaf: null }));
      node = child;
    }
    node.leaf = leaf;
  }
  const lines: [string, T | null][] = [];
  const walk = (node: Branch<T>, indent: string, top: boolean): void => {
    const all = [...node.children];
    all.forEach(([label, child], i) => {
      const last = i === all.length - 1;
      lines.push([`${indent}${top ? '' : last ? '└─ ' : '├─ '}${label}`, child.leaf]);
      walk(child, top ? '' : `${indent}${last ? '   ' : '│  '}`, false);
    });
  };
  walk(root, '', true);
  return lines;
}

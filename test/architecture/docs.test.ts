// Every function, class and op that a room of the library hands on says what it is, in a docstring before it.
import fs from 'node:fs';
import path from 'node:path';

const lib = path.join(__dirname, '..', '..', 'lib');

// Rooms whose exports are the public names; files that only pass names on, or make forms of ops whose rows are documented.
const ROOMS =
  /^(autograd|core|data|fft|func|linalg|masked|nn|ops|optim|serialization|signal|special|tensor|utils)\/|^(settings|torch)\.ts$/;
const DERIVED = /(^|\/)(index|in_place_functions)\.ts$|^ops\/internal\/|^linalg\/common|^autograd\/graph/;

const files = fs
  .readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(path.sep).join('/'))
  .filter((file) => file.endsWith('.ts') && ROOMS.test(file) && !DERIVED.test(file));

const DECLARATION = /^export (?:abstract )?(class|function|const) (\w+)/;

/** The ops and classes of a file, and its functions, that have no docstring: `file: name`. */
function undocumented(file: string): string[] {
  const lines = fs.readFileSync(path.join(lib, file), 'utf8').split('\n');
  const overloads = new Set<string>();
  return lines.flatMap((line, i) => {
    const [, kind, name] = DECLARATION.exec(line) ?? [];
    if (kind === undefined || name === undefined) return [];
    // A constant counts if it can be called or made: an op row, a type, a layer.
    if (kind === 'const' && !/(?:\bop|[Oo]p|unary|binary|conversion|new DType)\(/.test(line)) return [];
    let before = i - 1;
    while (/^\/\/ biome-ignore/.test(lines[before] ?? '')) before--;
    const documented = /\*\/$/.test(lines[before] ?? '');
    // Further overloads, and what implements them, share the docstring of the first.
    if (documented) overloads.add(name);
    return documented || overloads.has(name) ? [] : [`${file}: ${name}`];
  });
}

test('there are files to look at, and a missing docstring is seen', () => {
  expect(files.length).toBeGreaterThan(200);
  expect(DECLARATION.exec('export const log2: Unary = unary(')?.[2]).toBe('log2');
});

test.each(files)('%s', (file) => {
  expect(undocumented(file)).toEqual([]);
});

// What the rows come from: files, patterns of files, folders of pictures, standard input.
import { statSync } from 'node:fs';
import { globSync, isDynamicPattern } from 'tinyglobby';
import { CliError, cannotRead, UsageError } from '../errors.js';
import { ArraySource, IdxSource } from './arrays.js';
import type { RowOptions, RowSource } from './batch.js';
import { csvFormat } from './csv.js';
import { IMAGE, ImageSource } from './images.js';
import { jsonlFormat } from './jsonl.js';
import { TextSource } from './text.js';

export const INPUT_FORMATS = ['csv', 'jsonl', 'npy', 'npz', 'safetensors', 'idx', 'images'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

const ENDINGS: readonly (readonly [RegExp, InputFormat])[] = [
  [/\.csv(\.gz)?$/i, 'csv'],
  [/\.(jsonl|ndjson)(\.gz)?$/i, 'jsonl'],
  [/\.npy$/i, 'npy'],
  [/\.npz$/i, 'npz'],
  [/\.safetensors$/i, 'safetensors'],
  // MNIST's files are called train-images-idx3-ubyte.gz and the like.
  [/[.-]idx\d?(-[a-z]+)?(\.gz)?$/i, 'idx'],
  [IMAGE, 'images'],
];

function formatOf(file: string): InputFormat {
  const found = ENDINGS.find(([pattern]) => pattern.test(file));
  if (found) return found[1];
  throw new UsageError(
    `${file}: the format is not known by the name: .csv, .jsonl, .npy, .npz, .safetensors, .idx, .png and .jpg are, others need --input-format`,
  );
}

const inOrder = (files: string[]): string[] => files.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

/** All pictures in a folder and those below, in the order of their paths. */
function picturesIn(folder: string): string[] {
  const found = globSync('**/*.{png,jpg,jpeg}', { cwd: folder, caseSensitiveMatch: false, absolute: false });
  if (found.length === 0) throw new CliError(`the folder ${folder} holds no pictures (.png, .jpg, .jpeg)`);
  return inOrder(found).map((file) => `${folder.replace(/\/+$/, '')}/${file}`);
}

/** What an argument names: files with their format. */
function expand(argument: string, format: InputFormat | undefined): [string, InputFormat][] {
  if (argument === '-') {
    if (format !== 'csv' && format !== 'jsonl')
      throw new UsageError('--input - reads standard input, which needs --input-format csv or jsonl');
    return [['-', format]];
  }
  const stat = statSync(argument, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return picturesIn(argument).map((file) => [file, 'images']);
  if (stat) return [[argument, format ?? formatOf(argument)]];
  if (!isDynamicPattern(argument)) throw new CliError(`${argument}: no such file or folder`);
  const found = inOrder(globSync(argument, { dot: true, expandDirectories: false }));
  if (found.length === 0) throw new CliError(`no file matches ${argument}`);
  return found.map((file) => [file, format ?? formatOf(file)]);
}

function sourceOf(file: string, format: Exclude<InputFormat, 'images'>, options: RowOptions): RowSource {
  switch (format) {
    case 'csv':
      return new TextSource(file, () => csvFormat(options), options);
    case 'jsonl':
      return new TextSource(file, () => jsonlFormat(options), options);
    case 'idx':
      return new IdxSource(file, options);
    default:
      return new ArraySource(file, options);
  }
}

/**
 * The sources that the arguments of --input name, in their order; pictures that follow one another are one source.
 * @throws CliError for a file that is not there or cannot be opened; UsageError for a format that is not known.
 */
export function openInputs(
  given: readonly string[],
  format: InputFormat | undefined,
  options: RowOptions,
): RowSource[] {
  const files = given.flatMap((argument) => expand(argument, format));
  const sources: RowSource[] = [];
  for (let at = 0; at < files.length; at++) {
    const [file, kind] = files[at]!;
    try {
      if (kind !== 'images') {
        sources.push(sourceOf(file, kind, options));
        continue;
      }
      const pictures = [file];
      while (files[at + 1]?.[1] === 'images') pictures.push(files[++at]![0]);
      sources.push(new ImageSource(file, pictures, options));
    } catch (error) {
      throw cannotRead(file, error);
    }
  }
  return sources;
}

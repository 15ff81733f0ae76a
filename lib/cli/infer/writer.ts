// The formats of results.
import { UsageError } from '../errors.js';
import type { Job } from './job.js';
import { type Output, PartialFile } from './output.js';
import type { ResultNode } from './results.js';
import { NpyWriter, SafetensorsWriter } from './write_arrays.js';
import { CsvWriter, JsonlWriter } from './write_text.js';

/** Where a batch's rows come from. */
export interface BatchPlace {
  /** The number of a row among all inputs. */
  row(i: number): number;
  /** The file of a row, where results name it. */
  file(i: number): string | null;
}

/** Writes results batch by batch. */
export interface ResultWriter {
  /** What a writer that goes on later needs, as JSON. */
  readonly state: unknown;
  write(columns: readonly (readonly [string, ResultNode])[], rows: number, place: BatchPlace): Promise<void>;
  /** Completes the output. */
  finish(): Promise<void>;
}

export const OUTPUT_FORMATS = ['jsonl', 'csv', 'npy', 'safetensors'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** The format that a file's name asks for; JSON lines for names without an ending. */
export function outputFormat(file: string): OutputFormat {
  const ending = /\.([^./]+)$/.exec(file)?.[1]?.toLowerCase();
  if (ending === undefined || ending === 'ndjson') return 'jsonl';
  const found = OUTPUT_FORMATS.find((format) => format === ending);
  if (!found)
    throw new UsageError(
      `${file}: results are written as .jsonl, .csv, .npy or .safetensors; other names need --output-format`,
    );
  return found;
}

/**
 * The writer of a format.
 * @param numbered whether arrays carry the numbers of the rows.
 * @param state what the writer of an interrupted job kept; null for a new one.
 * @throws UsageError for a format of arrays and an output that is no file.
 */
export function openWriter(
  format: OutputFormat,
  output: Output,
  job: Job | null,
  file: string,
  numbered: boolean,
  state: unknown,
): ResultWriter {
  if (format === 'jsonl') return new JsonlWriter(output);
  if (format === 'csv') return new CsvWriter(output, state);
  if (!(output instanceof PartialFile) || job === null)
    throw new UsageError(`${format} needs an --output that is a file: its header is filled in at the end`);
  if (format === 'npy') return new NpyWriter(output, state);
  return new SafetensorsWriter(output, (part) => job.file(file, part), numbered, state);
}

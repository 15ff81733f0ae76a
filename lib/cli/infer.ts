// flambeau infer: a model over the rows of a file.
import { SingleBar } from 'cli-progress';
import torch, { type nn, type Tensor } from '../index.js';
import { CliError, messageOf } from './errors.js';
import { resultLines, type ResultOptions } from './results.js';
import { loadCheckpoint, loadModel } from './model.js';
import { AtomicOutput } from './output.js';
import { parseColumns, readRows, type RowBatch } from './rows.js';

/** The types that rows can have. */
export const DTYPES = ['float32', 'float64', 'float16', 'bfloat16', 'int64', 'int32'] as const;

/** The options of `flambeau infer`. */
export interface InferOptions extends ResultOptions {
  model: string;
  checkpoint?: string;
  input: string;
  output: string;
  batchSize: number;
  threads?: number;
  dtype: (typeof DTYPES)[number];
  columns?: string;
  header?: boolean;
}

/** One call of the model. */
function apply(model: nn.Module, batch: RowBatch, dtype: InferOptions['dtype']): unknown {
  const input = torch
    .tensor(batch.values)
    .to(torch[dtype])
    .reshape([batch.rows, ...batch.shape]);
  try {
    return (model as unknown as (x: Tensor) => unknown)(input);
  } catch (error) {
    const shape = [batch.rows, ...batch.shape].join(', ');
    throw new CliError(`the model does not take rows of this shape ([${shape}]): ${messageOf(error)}`);
  }
}

/** A count of rows on the terminal; nothing where standard error is not one. */
function rowCounter(): { update(rows: number): void; stop(): void } {
  if (!process.stderr.isTTY) return { update() {}, stop() {} };
  const started = Date.now();
  const bar = new SingleBar({
    format: '{value} rows, {rate} rows/s',
    hideCursor: true,
    stream: process.stderr,
    clearOnComplete: true,
  });
  bar.start(0, 0, { rate: 0 });
  return {
    update: (rows) => bar.update(rows, { rate: Math.round((rows * 1000) / Math.max(1, Date.now() - started)) }),
    stop: () => bar.stop(),
  };
}

/**
 * Runs a model over all rows and writes a line of JSON for each, in order. The output appears under its name only when
 * it is whole. Speed goes to standard error.
 * @throws CliError for every mistake in the files or options.
 */
export async function infer(options: InferOptions): Promise<void> {
  if (options.threads !== undefined) torch.setNumThreads(options.threads);
  const columns = options.columns === undefined ? null : parseColumns(options.columns);
  const batches = readRows(options.input, { batchSize: options.batchSize, columns, header: options.header === true });
  const model = await loadModel(options.model);
  if (options.checkpoint !== undefined) loadCheckpoint(model, options.checkpoint);
  if (options.dtype !== 'float32' && torch[options.dtype].isFloatingPoint) model.to(torch[options.dtype]);
  model.eval();

  const output = openOutput(options.output);
  const stop = (): void => process.exit(130);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const counter = rowCounter();
  const started = process.hrtime.bigint();
  let rows = 0;
  try {
    for await (const batch of batches) {
      await output.write(
        torch.inferenceMode(() => resultLines(apply(model, batch, options.dtype), rows, batch.rows, options)),
      );
      rows += batch.rows;
      counter.update(rows);
    }
    if (rows === 0) throw new CliError(`${options.input} holds no rows`);
    await output.finish();
  } catch (error) {
    output.abort();
    throw error;
  } finally {
    counter.stop();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  process.stderr.write(`${rows} rows in ${seconds.toFixed(2)} s, ${Math.round(rows / seconds)} rows/s\n`);
}

function openOutput(file: string): AtomicOutput {
  try {
    return new AtomicOutput(file);
  } catch (error) {
    throw new CliError(`cannot write ${file}: ${messageOf(error)}`);
  }
}

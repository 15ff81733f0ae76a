// flambeau infer: a model over the rows of files.
import { createHash } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import torch, { type nn, type Tensor } from '../../index.js';
import { CliError, EXIT, Interrupted, messageOf, UsageError } from '../errors.js';
import { loadModel } from '../model.js';
import {
  type BadRow,
  type ImageOptions,
  parseColumns,
  type RowBatch,
  type RowSource,
  type RowType,
  START,
} from './batch.js';
import { identityOf } from './bytes.js';
import { type InputFormat, openInputs } from './inputs.js';
import { Job, type Progress } from './job.js';
import { type Output, StreamOutput } from './output.js';
import { preparation } from './prepare.js';
import { type ProgressBar, type ProgressMode, progressBar } from './progress.js';
import { columnsOf, type ResultOptions } from './results.js';
import { type BatchPlace, openWriter, type OutputFormat, outputFormat, type ResultWriter } from './writer.js';

/** The options of `flambeau infer`. */
export interface InferOptions extends ResultOptions {
  model: string;
  checkpoint?: string;
  input: string[];
  inputFormat?: InputFormat;
  output: string;
  outputFormat?: OutputFormat;
  errors?: string;
  resume?: boolean;
  resumeInterval: number;
  batchSize: number;
  threads?: number;
  dtype: RowType;
  device: string;
  columns?: string;
  header?: boolean;
  array?: string;
  shape?: number[];
  mean?: number[];
  std?: number[];
  imageSize?: ImageOptions['size'];
  grayscale?: boolean;
  progress: ProgressMode;
}

/** How long events may wait, as a signal or the redrawing of the bar. */
const TURN_MS = 50;

const NOTHING_DONE: Progress = { source: 0, position: START, done: 0, base: 0, rows: 0, bad: 0, writer: null };

/** What must not change for an interrupted job to go on. */
function fingerprint(
  options: InferOptions,
  format: OutputFormat,
  sources: readonly RowSource[],
): Record<string, unknown> {
  const input = createHash('sha256');
  for (const source of sources) input.update(`${source.identity}\n`);
  return {
    '--model': identityOf(options.model),
    '--checkpoint': options.checkpoint === undefined ? null : identityOf(options.checkpoint),
    '--input': input.digest('hex'),
    '--output-format': format,
    '--batch-size': options.batchSize,
    '--dtype': options.dtype,
    '--device': options.device,
    '--columns': options.columns,
    '--header': options.header,
    '--array': options.array,
    '--shape': options.shape,
    '--mean': options.mean,
    '--std': options.std,
    '--image-size': options.imageSize,
    '--grayscale': options.grayscale,
    '--top-k': options.topK,
    '--softmax': options.softmax,
  };
}

/** The file that the output's name stands for; null where it is a stream. */
function targetOf(name: string): string | null {
  if (name === '-') return null;
  const stat = statSync(name, { throwIfNoEntry: false });
  if (stat === undefined) return name;
  if (stat.isDirectory()) throw new CliError(`cannot write ${name}: it is a folder`);
  return stat.isFile() ? realpathSync(name) : null;
}

/** Counts signals that ask for an end: at the first one the job ends in order, at the second at once. */
class Signals {
  received: number | null = null;
  private readonly handlers = (
    [
      ['SIGHUP', 1],
      ['SIGINT', 2],
      ['SIGTERM', 15],
    ] as const
  ).map(([name, number]) => {
    const handler = (): void => {
      if (this.received !== null) process.exit(128 + number);
      this.received = number;
    };
    process.on(name, handler);
    return [name, handler] as const;
  });

  release(): void {
    for (const [name, handler] of this.handlers) process.off(name, handler);
  }
}

/** Runs a model over the rows of all sources. */
class Inference {
  private readonly signals = new Signals();
  private errors: Output | null = null;
  private job: Job | null = null;
  private bar: ProgressBar | null = null;
  private writer: ResultWriter | null = null;
  private at: Progress = NOTHING_DONE;
  /** Whether what is done can be taken up later. */
  private keeps = false;
  private lastTurn = Date.now();
  private lastSave = Date.now();

  constructor(
    private readonly options: InferOptions,
    private readonly sources: readonly RowSource[],
    private readonly model: nn.Module,
    private readonly prepare: (rows: Tensor) => Tensor,
  ) {}

  /** @returns the exit code. */
  async run(): Promise<number> {
    const started = process.hrtime.bigint();
    let before = 0;
    try {
      const output = await this.open();
      if (output === null) return this.tell(this.at.rows, null);
      before = this.at.rows;
      await this.readAll();
      if (this.at.rows + this.at.bad === 0) throw new CliError(`${this.options.input.join(', ')}: there are no rows`);
      await this.writer!.finish();
      if (this.job) await this.job.finish();
      else {
        await output.close();
        await this.errors?.close();
      }
    } catch (error) {
      this.bar?.stop();
      const kept = this.job ? await this.job.stop(this.keeps) : 0;
      if (kept > 0)
        process.stderr.write(
          `flambeau: ${kept} rows are kept in ${this.options.output}.partial; --resume goes on from there\n`,
        );
      throw error;
    } finally {
      this.bar?.stop();
      this.signals.release();
    }
    return this.tell(this.at.rows - before, Number(process.hrtime.bigint() - started) / 1e9);
  }

  /** Opens the outputs; null if an interrupted job had nothing left to do. */
  private async open(): Promise<Output | null> {
    const { options, sources } = this;
    const format = options.outputFormat ?? (options.output === '-' ? 'jsonl' : outputFormat(options.output));
    const target = targetOf(options.output);
    const errors = options.errors ?? null;
    if (errors !== null && targetOf(errors) === null) throw new UsageError('--errors must be a file');
    if (target !== null && errors === target) throw new UsageError('--errors and --output are the same file');
    this.keeps = target !== null && sources.every((source) => source.identity !== null);
    if (options.resume && !this.keeps) throw new UsageError('--resume needs an --output and an --input that are files');
    let output: Output;
    try {
      if (target === null) {
        output = new StreamOutput(options.output);
        if (errors !== null) {
          // The bad rows still appear only as a whole.
          const { job } = Job.open(errors, null, {}, false);
          this.errors = await job.file(errors);
          this.job = job;
        }
      } else {
        const found = Job.open(target, errors, fingerprint(options, format, sources), options.resume === true);
        this.at = found.progress ?? NOTHING_DONE;
        if (found.done) return null;
        if (found.discarded > 0)
          process.stderr.write(
            `flambeau: ${found.discarded} rows of an interrupted job are dropped; --resume would have kept them\n`,
          );
        this.job = found.job;
        output = await found.job.file(target);
        if (errors !== null) this.errors = await found.job.file(errors);
      }
    } catch (error) {
      throw error instanceof CliError ? error : new CliError(`cannot write ${options.output}: ${messageOf(error)}`);
    }
    this.writer = openWriter(format, output, this.job, target ?? '', errors !== null, this.at.writer);
    return output;
  }

  private async readAll(): Promise<void> {
    const { sources } = this;
    this.bar = progressBar(this.options.progress, { done: this.share(), rows: this.at.rows + this.at.bad });
    for (let { source, position, base } = this.at; source < sources.length; source++, position = START) {
      for await (const batch of sources[source]!.batches(position)) {
        position = batch.next;
        const { rows, bad } = await this.process(batch, sources[source]!, base);
        this.at = {
          source,
          position,
          done: batch.done,
          base,
          rows: this.at.rows + rows,
          bad: this.at.bad + bad,
          writer: this.writer!.state,
        };
        this.job?.mark(this.at);
        await this.turn();
      }
      base += position.row;
    }
    this.bar.update(this.share(), this.at.rows + this.at.bad);
  }

  /** Lets events in now and then: signals, the bar, the note of how far the job is. */
  private async turn(): Promise<void> {
    const now = Date.now();
    if (this.job && this.keeps && now - this.lastSave >= this.options.resumeInterval * 1000) {
      await this.job.save();
      this.lastSave = Date.now();
    }
    if (now - this.lastTurn >= TURN_MS) {
      await setImmediate();
      this.bar!.update(this.share(), this.at.rows + this.at.bad);
      this.lastTurn = Date.now();
    }
    if (this.signals.received !== null) throw new Interrupted('interrupted', this.signals.received);
  }

  /** How much of all input is read, by the bytes of the files; null if that is unknown. */
  private share(): number | null {
    const { source, done } = this.at;
    let before = 0;
    let all = 0;
    for (const [i, { bytes, units }] of this.sources.entries()) {
      if (bytes === null) return null;
      all += bytes;
      if (i < source) before += bytes;
      else if (i === source && units !== null) before += (bytes * done) / Math.max(1, units);
    }
    return Math.min(1, before / Math.max(1, all));
  }

  private call(input: Tensor): unknown {
    return (this.model as unknown as (x: Tensor) => unknown)(input);
  }

  /** Runs the model over a batch and writes what it gives. */
  private async process(batch: RowBatch, source: RowSource, base: number): Promise<{ rows: number; bad: number }> {
    const { options } = this;
    const bad: BadRow[] = [...batch.bad];
    let rows = batch.rows;
    const place = (first: number): BatchPlace => ({
      row: (i) => base + batch.index[first + i]!,
      file: (i) => batch.files?.[first + i] ?? (this.sources.length > 1 ? source.name : null),
    });
    if (batch.input !== null) {
      const input = this.prepare(batch.input);
      let failure: unknown = null;
      const result = torch.inferenceMode(() => {
        let value: unknown;
        try {
          value = this.call(input);
        } catch (error) {
          failure = error;
          return null;
        }
        return columnsOf(value, rows, options);
      });
      if (result !== null) await this.writer!.write(result, rows, place(0));
      else if (options.errors === undefined) throw this.refused(failure, input);
      else {
        const alone = await this.oneByOne(input, place, batch, source);
        rows -= alone.length;
        if (rows === 0 && this.at.rows === 0) throw this.refused(failure, input);
        bad.push(...alone);
      }
    }
    if (bad.length > 0) {
      const text = bad.map(({ file, row, line, message }) => JSON.stringify({ file, line, row: base + row, message }));
      await this.errors!.write(`${text.join('\n')}\n`);
    }
    return { rows, bad: bad.length };
  }

  private refused(error: unknown, input: Tensor): CliError {
    return new CliError(
      `the model does not take rows of this shape ([${input.shape.join(', ')}]): ${messageOf(error)}`,
    );
  }

  /** Finds the rows that the model does not take, and writes the results of the others. */
  private async oneByOne(
    input: Tensor,
    place: (first: number) => BatchPlace,
    batch: RowBatch,
    source: RowSource,
  ): Promise<BadRow[]> {
    const bad: BadRow[] = [];
    for (let i = 0; i < batch.rows; i++) {
      let value: unknown;
      try {
        value = torch.inferenceMode(() => this.call(input.narrow(0, i, 1)));
      } catch (error) {
        const file = batch.files?.[i] ?? source.name;
        const line = batch.lines?.[i];
        bad.push({ file, row: batch.index[i]!, ...(line === undefined ? {} : { line }), message: messageOf(error) });
        continue;
      }
      const columns = torch.inferenceMode(() => columnsOf(value, 1, this.options));
      await this.writer!.write(columns, 1, place(i));
    }
    return bad;
  }

  private tell(rows: number, seconds: number | null): number {
    const { bad } = this.at;
    const time =
      seconds === null
        ? `${rows} rows were complete`
        : `${rows} rows in ${seconds.toFixed(2)} s, ${Math.round(rows / seconds)} rows/s`;
    process.stderr.write(`${time}${bad === 0 ? '' : `; ${bad} bad rows in ${this.options.errors}`}\n`);
    return bad === 0 ? EXIT.ok : EXIT.no;
  }
}

/**
 * Runs a model over all rows and writes its results, in order. The output appears under its name only when it is whole.
 * @returns the exit code.
 * @throws CliError for every mistake in the files or options.
 */
export async function infer(options: InferOptions): Promise<number> {
  if (options.threads !== undefined) torch.setNumThreads(options.threads);
  const prepare = preparation({
    dtype: options.dtype,
    device: options.device,
    shape: options.shape ?? null,
    mean: options.mean ?? null,
    std: options.std ?? null,
  });
  const sources = openInputs(options.input, options.inputFormat, {
    batchSize: options.batchSize,
    dtype: options.dtype,
    columns: options.columns === undefined ? null : parseColumns(options.columns),
    header: options.header === true,
    ...(options.array === undefined ? {} : { array: options.array }),
    tolerant: options.errors !== undefined,
    images: { size: options.imageSize ?? null, grayscale: options.grayscale === true },
  });
  if (!existsSync(options.model)) throw new CliError(`${options.model}: no such file`);
  const model = await loadModel(options.model, options.checkpoint);
  if (options.dtype !== 'float32' && torch[options.dtype].isFloatingPoint) model.to(torch[options.dtype]);
  model.to(options.device);
  model.eval();
  return new Inference(options, sources, model, prepare).run();
}

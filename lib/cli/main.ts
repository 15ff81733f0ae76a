#!/usr/bin/env node
// The command line: `flambeau infer` and `flambeau inspect`.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CliError, messageOf } from './errors.js';
import { DTYPES, infer, type InferOptions } from './infer.js';
import { inspect } from './inspect.js';

function version(): string {
  const file = path.join(__dirname, '..', '..', 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : 'unknown';
}

function positiveInteger(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n < 1 || !Number.isSafeInteger(n))
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return n;
}

/** @returns the program; `run` parses and executes. */
export function program(): Command {
  const command = new Command('flambeau')
    .description('Runs models and looks into their files.')
    .version(version())
    .showHelpAfterError('(add --help for usage)')
    .exitOverride();
  command
    .command('infer')
    .description('Run a model over the rows of a file; writes one line of JSON per row, in order.')
    .requiredOption(
      '--model <file>',
      'JavaScript module that exports the model: a Module class, a function that makes one, or a Module',
    )
    .option(
      '--checkpoint <file>',
      'weights to load: .pt of torch.save (a state dict, or one inside a checkpoint) or .safetensors',
    )
    .requiredOption('--input <file>', 'rows: .csv, .jsonl (an array of numbers or an object per line) or .npy')
    .requiredOption('--output <file>', 'where the lines go; - for standard output')
    .option('--batch-size <n>', 'rows per call of the model', positiveInteger, 64)
    .option('--threads <n>', 'threads to compute with (default: one per core)', positiveInteger)
    .addOption(
      new Option('--dtype <type>', 'type of the rows, and of the model if it is a floating-point type')
        .choices(DTYPES)
        .default('float32'),
    )
    .option('--top-k <k>', 'write only the k largest values of each row, with their positions', positiveInteger)
    .option('--softmax', 'turn the outputs of each row into probabilities')
    .option('--columns <list>', 'columns that the model gets, as 0-63,70 or, with --header or objects, by name')
    .option('--header', 'the first line of the .csv names the columns')
    .action(async (options: InferOptions) => {
      await infer(options);
    });
  command
    .command('inspect')
    .description('List keys, types and shapes of the tensors in a file, without reading their data.')
    .argument('<file>', 'a file of torch.save, a TorchScript archive, .safetensors, .npy or .npz')
    .option('--json', 'as JSON')
    .action((file: string, options: { json?: boolean }) => {
      inspect(file, options.json === true);
    });
  return command;
}

/** Runs a command line; reports an error in one message and sets the exit status. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(argv as string[]);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said it already.
      process.exitCode = error.exitCode;
      return;
    }
    process.stderr.write(`flambeau: ${messageOf(error)}\n`);
    if (!(error instanceof CliError) && process.env['FLAMBEAU_DEBUG'])
      process.stderr.write(`${(error as Error).stack}\n`);
    process.exitCode = 1;
  }
}

if (require.main === module) void run(process.argv);

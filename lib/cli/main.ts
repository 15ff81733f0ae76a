#!/usr/bin/env node
// The command line.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { benchCommand } from './commands/bench.js';
import { convertCommand } from './commands/convert.js';
import { diffCommand } from './commands/diff.js';
import { inferCommand } from './commands/infer.js';
import { inspectCommand } from './commands/inspect.js';
import { summaryCommand } from './commands/summary.js';
import { verifyCommand } from './commands/verify.js';
import { CliError, EXIT, messageOf } from './errors.js';

function version(): string {
  const file = path.join(__dirname, '..', '..', 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : 'unknown';
}

/** @returns the program; `run` parses and executes. */
export function program(): Command {
  const command = new Command('flambeau')
    .description('Runs models and looks into their files.')
    .version(version())
    .showHelpAfterError('(add --help for usage)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 done, and the answer is no (files differ, a file is damaged, rows were left out);\n' +
        '2 wrong usage; 3 failed; 128 + n ended by the signal n.',
    )
    .exitOverride();
  const commands = [
    inferCommand,
    inspectCommand,
    convertCommand,
    diffCommand,
    verifyCommand,
    summaryCommand,
    benchCommand,
  ];
  for (const make of commands) command.addCommand(make().exitOverride().copyInheritedSettings(command));
  return command;
}

/** Whether the reader of our output has gone, as `head` does when it has enough. */
const isBrokenPipe = (error: unknown): boolean => (error as NodeJS.ErrnoException | null)?.code === 'EPIPE';

/** Runs a command line; reports an error in one message and sets the exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', (error) => {
    if (isBrokenPipe(error)) process.exit(EXIT.ok);
    throw error;
  });
  try {
    await program().parseAsync(argv as string[]);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said it already.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    if (isBrokenPipe(error)) return;
    process.stderr.write(`flambeau: ${messageOf(error)}\n`);
    if (!(error instanceof CliError) && process.env['FLAMBEAU_DEBUG'])
      process.stderr.write(`${(error as Error).stack}\n`);
    process.exitCode = error instanceof CliError ? error.exitCode : EXIT.failed;
  }
}

if (require.main === module) void run(process.argv);

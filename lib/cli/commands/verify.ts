// flambeau verify: whether files are whole.
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import torch from '../../index.js';
import { type FileFormat, isIndex, listFile, shardsOf } from '../checkpoint.js';
import { CliError, cannotRead, EXIT, messageOf } from '../errors.js';
import { count, size } from '../format.js';

type Report = Omit<Awaited<ReturnType<typeof torch.serialization.verifyFile>>, 'format'> & { format: FileFormat };

/** Checks a file, or all files of a checkpoint and its index. */
async function check(file: string): Promise<Report> {
  if (!isIndex(file)) return torch.serialization.verifyFile(file);
  // Checks the index before the names in it are used.
  torch.loadSharded(file, { keys: [] });
  let checksums = 0;
  for (const shard of shardsOf(file)) {
    if (!existsSync(shard)) throw new CliError(`${shard} is missing`);
    checksums += (await torch.serialization.verifyFile(shard)).checksums;
  }
  // Only now that its files are whole: whether they hold what the index says.
  const { format, size, tensors, bytes } = listFile(file);
  return { format, size, bytes, tensors: tensors.length, checksums };
}

async function verify(files: string[], options: { json?: boolean }): Promise<void> {
  const reports: Record<string, unknown>[] = [];
  for (const file of files) {
    try {
      const report = await check(file);
      reports.push({ file, whole: true, ...report });
      if (options.json) continue;
      const checks = report.checksums > 0 ? count(report.checksums, 'checksum') : 'structure';
      const holds = `${report.format}, ${count(report.tensors, 'tensor')}, ${size(report.bytes)}`;
      process.stdout.write(`whole    ${file}: ${holds} (${checks})\n`);
    } catch (error) {
      // A file that is not there is not a damaged one.
      if (!(error instanceof torch.RuntimeError || error instanceof CliError)) throw cannotRead(file, error);
      const message = messageOf(error)
        .replace(/^cannot read /, '')
        .replace(`${file}: `, '');
      reports.push({ file, whole: false, message });
      process.exitCode = EXIT.no;
      if (!options.json) process.stdout.write(`damaged  ${file}: ${message}\n`);
    }
  }
  if (options.json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
}

/** `flambeau verify`. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Check that files are whole: their structure, and the checksums where the format has them. Exit code 1 if one is not.',
    )
    .argument(
      '<files...>',
      'files of torch.save, TorchScript archives, .safetensors, .npy, .npz, or indices of checkpoints in several files',
    )
    .option('--json', 'as JSON')
    .action(verify);
}

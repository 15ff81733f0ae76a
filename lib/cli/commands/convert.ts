// flambeau convert: from one format of tensors to another.
import { Command, Option } from 'commander';
import torch, { type Tensor } from '../../index.js';
import { type FileFormat, listFile, readTensors } from '../checkpoint.js';
import { CliError, messageOf, UsageError } from '../errors.js';
import { count, size } from '../format.js';
import { childrenOf, flatten, kindOf, partOf, replaceTensors } from '../tensors.js';

const TARGETS = ['pt', 'legacy', 'safetensors', 'npz', 'npy'] as const;
type Target = (typeof TARGETS)[number];
const FLOATS = ['float64', 'float32', 'float16', 'bfloat16'] as const;

interface ConvertOptions {
  to?: Target;
  dtype?: (typeof FLOATS)[number];
  key?: string;
  tensorsOnly?: boolean;
}

function targetOf(file: string): Target {
  const ending = /\.([^./]+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
  if (['pt', 'pth', 'bin', 'ckpt'].includes(ending)) return 'pt';
  const found = TARGETS.find((t) => t === ending && t !== 'legacy');
  if (!found)
    throw new UsageError(
      `${file}: the format is not known by the name (.pt, .pth, .bin, .safetensors, .npz, .npy); add --to`,
    );
  return found;
}

/** Casts floating-point tensors, one that stands in several places once. */
function caster(dtype: ConvertOptions['dtype']): (t: Tensor) => Tensor {
  if (dtype === undefined) return (t) => t;
  const done = new Map<string, Tensor>();
  return (t) => {
    if (!t.dtype.isFloatingPoint || t instanceof torch.serialization.StoredTensor) return t;
    const key = `${t.dataPtr()} ${t.shape.join()} ${t.stride().join()} ${String(t.dtype)}`;
    const known = t.numel() === 0 ? undefined : done.get(key);
    if (known) return known;
    const cast = t.detach().to(torch[dtype]);
    const made = t instanceof torch.nn.Parameter ? new torch.nn.Parameter(cast, t.requiresGrad) : cast;
    done.set(key, made);
    return made;
  };
}

/** Tensors by name, for a format that holds nothing else. */
function tensorsAlone(value: unknown, options: ConvertOptions): Record<string, Tensor> {
  const { tensors, values } = flatten(value);
  if (values.size > 0 && !options.tensorsOnly) {
    const names = [...values.keys()].slice(0, 5).map((name) => name || 'the value itself');
    throw new CliError(
      `the format holds only tensors, but there are other values: ${names.join(', ')}${values.size > 5 ? ', ...' : ''}. ` +
        'Choose a part with --key, or leave them out with --tensors-only',
    );
  }
  if (tensors.size === 0) throw new CliError('there are no tensors');
  const [stored] = [...tensors].find(([, t]) => t instanceof torch.serialization.StoredTensor) ?? [];
  if (stored !== undefined)
    throw new CliError(`'${stored}' is ${kindOf(tensors.get(stored)!)}, which the format cannot hold`);
  if (values.size > 0) process.stderr.write(`flambeau: left out ${count(values.size, 'value')} that are no tensors\n`);
  return Object.fromEntries(tensors);
}

function write(value: unknown, source: FileFormat, input: string, output: string, options: ConvertOptions): void {
  const to = options.to ?? targetOf(output);
  switch (to) {
    case 'pt':
      return torch.save(value, output);
    case 'legacy':
      return torch.save(value, output, { zip: false });
    case 'safetensors': {
      const metadata =
        source === 'safetensors' && options.key === undefined ? torch.safetensors.loadMetadata(input) : null;
      return torch.safetensors.saveFile(tensorsAlone(value, options), output, metadata ?? { format: 'pt' });
    }
    case 'npz':
      return torch.serialization.saveNumpy(tensorsAlone(value, options), output);
    case 'npy': {
      const tensors = Object.values(tensorsAlone(value, options));
      if (tensors.length !== 1)
        throw new CliError(`a .npy file holds one array, but there are ${tensors.length}; choose one with --key`);
      return torch.serialization.saveNumpy(tensors[0]!, output);
    }
  }
}

async function convert(input: string, output: string, options: ConvertOptions): Promise<void> {
  if (options.to === undefined) targetOf(output);
  const source = listFile(input).format;
  let value = await readTensors(input, source);
  // Tensors by name are a state dict to PyTorch, which is an ordered dict there.
  if (['safetensors', 'npz', 'sharded'].includes(source)) value = new torch.StateDict(childrenOf(value)!);
  try {
    if (options.key !== undefined) value = partOf(value, options.key);
    value = replaceTensors(value, caster(options.dtype));
    write(value, source, input, output, options);
  } catch (error) {
    throw new CliError(`cannot convert ${input} to ${output}: ${messageOf(error)}`);
  }
  const written = torch.inspectFile(output);
  process.stderr.write(
    `${output}: ${written.format}, ${count(written.tensors.length, 'tensor')}, ${size(written.size)}\n`,
  );
}

/** `flambeau convert`. */
export function convertCommand(): Command {
  return new Command('convert')
    .description('Write a file of tensors in another format, or with other floating-point types.')
    .argument(
      '<input>',
      'a file of torch.save (any version), .safetensors, .npz or .npy, or the index of a checkpoint in several files',
    )
    .argument('<output>', '.pt, .pth or .bin (PyTorch), .safetensors, .npz or .npy')
    .addOption(
      new Option(
        '--to <format>',
        'the format where the name does not tell; legacy is that of PyTorch before 1.6',
      ).choices(TARGETS),
    )
    .addOption(new Option('--dtype <type>', 'cast floating-point tensors').choices(FLOATS))
    .option('--key <path>', 'convert only the part under this key, as model_state_dict')
    .option('--tensors-only', 'leave out what is no tensor where the format holds only tensors')
    .action(convert);
}

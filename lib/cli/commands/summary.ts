// flambeau summary: what a model is made of and what it costs to run.
import { Command, InvalidArgumentError, Option } from 'commander';
import torch from '../../index.js';
import { CliError, messageOf } from '../errors.js';
import { DTYPES, type RowType } from '../infer/batch.js';
import { loadModel } from '../model.js';
import { nonNegative, numbers } from '../options.js';

interface SummaryOptions {
  model: string;
  checkpoint?: string;
  shape: number[][];
  dtype: RowType;
  compute?: boolean;
  depth?: number;
  json?: boolean;
}

/** `1,3,224,224` as the sizes of an input, the batch's among them; further inputs are added to those before. */
function inputShape(text: string, before: number[][] | undefined): number[][] {
  const sizes = numbers(text);
  if (sizes.some((n) => !Number.isSafeInteger(n) || n < 0))
    throw new InvalidArgumentError('It must be sizes with commas between them.');
  return [...(before ?? []), sizes];
}

async function summary(options: SummaryOptions): Promise<void> {
  const model = await loadModel(options.model, options.checkpoint);
  let found: ReturnType<typeof torch.utils.summary>;
  try {
    found = torch.utils.summary(model, options.shape, {
      dtype: torch[options.dtype],
      device: options.compute ? 'cpu' : 'meta',
      ...(options.depth === undefined ? {} : { depth: options.depth }),
    });
  } catch (error) {
    const hint = options.compute ? '' : ' (a model that looks at values needs --compute)';
    throw new CliError(`cannot summarise ${options.model}: ${messageOf(error)}${hint}`);
  }
  if (!options.json) {
    process.stdout.write(`${String(found).trimEnd()}\n`);
    return;
  }
  const { rows, parameters, trainable, multiplyAdds, bytes, inputBytes, outputBytes } = found;
  const report = { parameters, trainable, multiplyAdds, bytes, inputBytes, outputBytes, rows };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
}

/** `flambeau summary`. */
export function summaryCommand(): Command {
  return new Command('summary')
    .description("Show a model's layers with the shapes of what they give, their parameters, multiply-adds and bytes.")
    .requiredOption('--model <file>', 'JavaScript module that exports the model, or a .pt file of a whole module')
    .option('--checkpoint <file>', 'weights to load first')
    .requiredOption('--shape <sizes>', 'shape of an input, as 1,3,224,224; repeat it for further inputs', inputShape)
    .addOption(new Option('--dtype <type>', 'type of the inputs').choices(DTYPES).default('float32'))
    .option('--compute', 'compute with zeros instead of following shapes only, for models that look at values')
    .option('--depth <n>', 'levels of modules to show (default: all)', nonNegative)
    .option('--json', 'as JSON')
    .action(summary);
}

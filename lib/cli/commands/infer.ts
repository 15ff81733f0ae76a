// The options of `flambeau infer`.
import { Command, Option } from 'commander';
import { DTYPES } from '../infer/batch.js';
import { infer, type InferOptions } from '../infer/infer.js';
import { INPUT_FORMATS } from '../infer/inputs.js';
import { PROGRESS } from '../infer/progress.js';
import { OUTPUT_FORMATS } from '../infer/writer.js';
import { imageSize, nonNegative, numbers, positiveInteger, shape } from '../options.js';

/** `flambeau infer`. */
export function inferCommand(): Command {
  return new Command('infer')
    .description('Run a model over the rows of files; writes a result for each row, in order.')
    .requiredOption(
      '--model <file>',
      'JavaScript module that exports the model (a Module class, a function that makes one, or a Module), or a .pt file of a whole module',
    )
    .option(
      '--checkpoint <file>',
      'weights to load: .pt of torch.save (a state dict, or one inside a checkpoint), .safetensors or .npz',
    )
    .optionsGroup('Input:')
    .requiredOption(
      '--input <files...>',
      'rows: .csv, .jsonl (an array of numbers or an object per line; both also as .gz), .npy, .npz, .safetensors, .idx, pictures, a folder of pictures, patterns of files in quotes, or - for standard input',
    )
    .addOption(new Option('--input-format <format>', 'the format where the name does not tell').choices(INPUT_FORMATS))
    .option('--columns <list>', 'columns that the model gets, as 0-63,70 or, with --header or objects, by name')
    .option('--header', 'the first line of a .csv names the columns')
    .option('--array <name>', 'the array of an .npz or .safetensors file that holds several')
    .option('--image-size <size>', 'resize pictures to HEIGHTxWIDTH', imageSize)
    .option('--grayscale', 'one channel from pictures instead of three')
    .option('--shape <sizes>', 'shape of a row for the model, as 1,28,28', shape)
    .option('--mean <numbers>', 'subtract a number, or one for each channel', numbers)
    .option('--std <numbers>', 'then divide by a number, or one for each channel', numbers)
    .addOption(
      new Option('--dtype <type>', 'type of the rows, and of the model if it is a floating-point type')
        .choices(DTYPES)
        .default('float32'),
    )
    .optionsGroup('Output:')
    .requiredOption('--output <file>', '.jsonl, .csv, .npy or .safetensors; - for standard output')
    .addOption(
      new Option('--output-format <format>', 'the format where the name does not tell').choices(OUTPUT_FORMATS),
    )
    .option('--softmax', 'turn the outputs of each row into probabilities')
    .option('--top-k <k>', 'write only the k largest values of each row, with their positions', positiveInteger)
    .option('--errors <file>', 'write bad rows there, as JSON lines with their line numbers, instead of stopping')
    .optionsGroup('Job:')
    .option('--batch-size <n>', 'rows per call of the model', positiveInteger, 64)
    .option('--threads <n>', 'threads to compute with (default: one per core)', positiveInteger)
    .option('--device <device>', 'where to compute', 'cpu')
    .option('--resume', 'go on with this job where it was interrupted')
    .option('--resume-interval <seconds>', 'how often to note where to resume; 0 after every batch', nonNegative, 2)
    .addOption(
      new Option('--progress <when>', 'show a progress bar: on a terminal, always (as lines elsewhere), or never')
        .choices(PROGRESS)
        .default('auto'),
    )
    .action(async (options: InferOptions) => {
      process.exitCode = await infer(options);
    });
}

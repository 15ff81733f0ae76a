// From rows as they are read to what the model gets.
import torch, { type Tensor } from '../../index.js';
import { CliError, messageOf, UsageError } from '../errors.js';
import type { RowType } from './batch.js';

export interface PrepareOptions {
  dtype: RowType;
  device: string;
  /** The shape of a row for the model; one size may be -1. */
  shape: readonly number[] | null;
  /** Subtracted and divided by: one number, or one for each channel (the first dimension of a row). */
  mean: readonly number[] | null;
  std: readonly number[] | null;
}

/** One number for all, or one per channel of rows of a shape. */
function perChannel(values: readonly number[], name: string, input: Tensor): Tensor {
  const dtype = input.dtype === torch.float64 ? torch.float64 : torch.float32;
  const t = torch.tensor(values as number[], { dtype });
  if (values.length === 1) return t;
  if (values.length !== input.shape[1])
    throw new CliError(
      `${name} has ${values.length} numbers, but rows have the shape [${input.shape.slice(1).join(', ')}]`,
    );
  return t.reshape([values.length, ...Array.from({ length: input.ndim - 2 }, () => 1)]);
}

/**
 * Makes the function that brings batches into the model's form.
 * @throws UsageError for a device that is not there, or numbers that the type cannot hold.
 */
export function preparation(options: PrepareOptions): (input: Tensor) => Tensor {
  const { dtype, device, shape, mean, std } = options;
  const type = torch[dtype];
  if ((mean !== null || std !== null) && !type.isFloatingPoint)
    throw new UsageError(`--mean and --std need a floating-point --dtype, not ${dtype}`);
  if (std?.includes(0)) throw new UsageError('--std must not be 0');
  try {
    torch.zeros(0).to(device);
  } catch (error) {
    throw new UsageError(`--device ${device}: ${messageOf(error)}`);
  }
  return (rows) => {
    let input = rows;
    if (shape !== null) {
      try {
        input = input.reshape([input.shape[0]!, ...shape]);
      } catch {
        throw new CliError(
          `rows of shape [${input.shape.slice(1).join(', ')}] cannot take the --shape ${shape.join(',')}`,
        );
      }
    }
    if (mean !== null) input = input.sub(perChannel(mean, '--mean', input));
    if (std !== null) input = input.div(perChannel(std, '--std', input));
    return input.to(type).to(device);
  };
}

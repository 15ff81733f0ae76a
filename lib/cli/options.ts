// Values of options, as commander reads them.
import { InvalidArgumentError } from 'commander';

/** A whole number from 1 on. */
export function positiveInteger(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n < 1 || !Number.isSafeInteger(n))
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return n;
}

/** A number that is not negative. */
export function nonNegative(text: string): number {
  const n = Number(text);
  if (text.trim() === '' || !Number.isFinite(n) || n < 0)
    throw new InvalidArgumentError('It must be a number from 0 on.');
  return n;
}

/** A number above 0. */
export function positive(text: string): number {
  const n = nonNegative(text);
  if (n === 0) throw new InvalidArgumentError('It must be a number above 0.');
  return n;
}

/** `0.5,0.4,0.3` as a list. */
export function numbers(text: string): number[] {
  const list = text.split(',').map(Number);
  if (text.split(',').some((part) => part.trim() === '') || list.some((n) => !Number.isFinite(n)))
    throw new InvalidArgumentError('It must be numbers with commas between them.');
  return list;
}

/** `1,28,28` as a shape; one size may be -1, for what is left. */
export function shape(text: string): number[] {
  const sizes = numbers(text);
  if (sizes.some((n) => !Number.isInteger(n) || n < -1 || n === 0) || sizes.filter((n) => n === -1).length > 1)
    throw new InvalidArgumentError('It must be sizes with commas between them; one may be -1.');
  return sizes;
}

/** `224x224` or `224` as [height, width]. */
export function imageSize(text: string): [number, number] {
  const found = /^(\d+)(?:x(\d+))?$/i.exec(text);
  const height = Number(found?.[1]);
  const width = Number(found?.[2] ?? found?.[1]);
  if (!(height >= 1 && width >= 1 && height <= 65_535 && width <= 65_535))
    throw new InvalidArgumentError('It must be HEIGHTxWIDTH, as 224x224.');
  return [height, width];
}

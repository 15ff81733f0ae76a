// Pictures as rows: each file one row [channels, height, width] of values from 0 to 1.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type Sharp from 'sharp';
import torch, { type Tensor } from '../../index.js';
import { CliError, messageOf, UsageError } from '../errors.js';
import type { BadRow, ImageOptions, RowBatch, RowOptions, RowSource, SourcePosition } from './batch.js';
import { identityOf, sizeOf } from './bytes.js';

/** The endings of files that are taken for pictures. */
export const IMAGE = /\.(png|jpe?g)$/i;

type SharpFunction = typeof Sharp;

/** Finds sharp next to this package, or else where the command runs. */
async function loadSharp(): Promise<SharpFunction> {
  const places = [__filename, path.join(process.cwd(), 'package.json')];
  let cause: unknown;
  for (const place of places) {
    let file: string;
    try {
      file = createRequire(place).resolve('sharp');
    } catch {
      continue;
    }
    try {
      return ((await import(pathToFileURL(file).href)) as { default: SharpFunction }).default;
    } catch (error) {
      cause = error;
    }
  }
  if (cause === undefined) throw new CliError("reading pictures takes the package 'sharp': npm install sharp");
  throw new CliError(`reading pictures takes the package 'sharp', which cannot be loaded: ${messageOf(cause)}`);
}

interface Picture {
  /** [height, width, channels] */
  bytes: Uint8Array;
  height: number;
  width: number;
}

/** Decodes a picture to 8-bit RGB or grey; transparency is dropped, the camera's orientation is not applied. */
async function decode(sharp: SharpFunction, file: string, { size, grayscale }: ImageOptions): Promise<Picture> {
  if (!existsSync(file)) throw new CliError('no such file');
  let image = sharp(file, { failOn: 'error' }).removeAlpha();
  image = grayscale ? image.grayscale() : image.toColourspace('srgb');
  if (size !== null) image = image.resize({ height: size[0], width: size[1], fit: 'fill', kernel: 'linear' });
  try {
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { bytes: data, height: info.height, width: info.width };
  } catch (error) {
    throw new CliError(`it cannot be decoded: ${messageOf(error)}`);
  }
}

/** Files of pictures, in order. */
export class ImageSource implements RowSource {
  readonly units: number;
  readonly bytes: number;
  readonly identity: string;

  /** @param name what was asked for: a folder, or the first file. */
  constructor(
    readonly name: string,
    private readonly files: readonly string[],
    private readonly options: RowOptions,
  ) {
    if (!torch[options.dtype].isFloatingPoint)
      throw new UsageError(`pictures have values from 0 to 1, which --dtype ${options.dtype} cannot hold`);
    this.units = files.length;
    this.bytes = files.reduce((sum, file) => sum + (sizeOf(file) ?? 0), 0);
    this.identity = files.map(identityOf).join('\n');
  }

  async *batches(from: SourcePosition): AsyncGenerator<RowBatch> {
    const sharp = await loadSharp();
    const { files, options } = this;
    const read = (start: number): Promise<(Picture | Error)[]> =>
      Promise.all(
        files
          .slice(start, start + options.batchSize)
          .map((file) => decode(sharp, file, options.images).catch((error: unknown) => error as Error)),
      );
    let size = from.shape;
    let coming = read(from.row);
    for (let start = from.row; start < files.length; start += options.batchSize) {
      const found = await coming;
      // The next pictures are decoded while the model works on these.
      coming = read(start + options.batchSize);
      coming.catch(() => {});
      const good: Picture[] = [];
      const index: number[] = [];
      const bad: BadRow[] = [];
      found.forEach((picture, i) => {
        const row = start + i;
        const file = files[row]!;
        let problem: string | null = picture instanceof Error ? messageOf(picture) : null;
        if (!(picture instanceof Error)) {
          size ??= [picture.height, picture.width];
          if (picture.height !== size[0] || picture.width !== size[1])
            problem = `it has ${picture.height} x ${picture.width} pixels, those before have ${size[0]} x ${size[1]} (see --image-size)`;
        }
        if (problem === null) {
          good.push(picture as Picture);
          index.push(row);
        } else if (options.tolerant) bad.push({ file, row, message: problem });
        else throw new CliError(`${file}: ${problem}`);
      });
      const end = Math.min(start + options.batchSize, files.length);
      yield {
        input: good.length === 0 ? null : this.tensor(good),
        rows: good.length,
        index,
        lines: null,
        files: index.map((row) => files[row]!),
        bad,
        next: { ...from, row: end, shape: size },
        done: end,
      };
    }
  }

  /** [rows, channels, height, width], from 0 to 1. */
  private tensor(pictures: readonly Picture[]): Tensor {
    const { height, width, bytes } = pictures[0]!;
    const all = new Uint8Array(bytes.length * pictures.length);
    pictures.forEach((picture, i) => all.set(picture.bytes, i * bytes.length));
    const channels = bytes.length / (height * width);
    return torch
      .tensor(all)
      .reshape([pictures.length, height, width, channels])
      .permute(0, 3, 1, 2)
      .to(torch[this.options.dtype === 'float64' ? 'float64' : 'float32'])
      .div(255)
      .contiguous();
  }
}

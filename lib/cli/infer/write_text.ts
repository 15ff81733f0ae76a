// Results as lines of text: JSON or CSV.
import torch, { type Tensor } from '../../index.js';
import { CliError } from '../errors.js';
import type { Output } from './output.js';
import type { ResultNode } from './results.js';
import { TextBuffer } from './text_buffer.js';
import type { BatchPlace, ResultWriter } from './writer.js';

const COMMA = 44;
const OPEN = 91;
const CLOSE = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const NEWLINE = 10;
const ROW = Buffer.from('{"row":');

/** The elements of a tensor, and how many a row has. */
interface Elements {
  values: ArrayLike<number | bigint>;
  width: number;
  kind: 'bool' | 'float32' | 'other';
}

function elementsOf(t: Tensor): Elements {
  const { dtype } = t;
  if (dtype.isComplex) throw new CliError('the model gave complex numbers; lines of text cannot hold them');
  const half = dtype === torch.float16 || dtype === torch.bfloat16;
  const values = (half ? t.to(torch.float32) : t).toTypedArray() as ArrayLike<number | bigint>;
  const kind = dtype === torch.bool ? 'bool' : half || dtype === torch.float32 ? 'float32' : 'other';
  return { values, width: values.length / t.shape[0]!, kind };
}

/** Appends the text of one row's value. */
type RowText = (out: TextBuffer, row: number) => void;

/** Appends one element. JSON has no infinities and no NaN: `strange` says what they become. */
function elementText({ values, kind }: Elements, strange: (value: number) => string): RowText {
  if (kind === 'bool') return (out, at) => out.text(values[at] ? 'true' : 'false');
  const float32 = kind === 'float32';
  return (out, at) => {
    const value = values[at]!;
    if (typeof value === 'number' && !Number.isFinite(value)) out.text(strange(value));
    else if (float32) out.float32(value as number);
    else out.number(value);
  };
}

const jsonText = (elements: Elements): RowText => elementText(elements, () => 'null');
const csvText = (elements: Elements): RowText =>
  elementText(elements, (value) => (Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'));

/** The nested arrays of a tensor's row. */
function jsonLeaf(t: Tensor): RowText {
  const elements = elementsOf(t);
  const one = jsonText(elements);
  const shape = t.shape.slice(1);
  const nest = (out: TextBuffer, at: number, dim: number): void => {
    if (dim === shape.length) return one(out, at);
    const step = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
    out.byte(OPEN);
    for (let i = 0; i < shape[dim]!; i++) {
      if (i > 0) out.byte(COMMA);
      if (dim + 1 === shape.length) one(out, at + i);
      else nest(out, at + i * step, dim + 1);
    }
    out.byte(CLOSE);
  };
  return (out, row) => nest(out, row * elements.width, 0);
}

function jsonNode(node: ResultNode): RowText {
  if (node.kind === 'leaf') return jsonLeaf(node.tensor);
  if (node.kind === 'zipped') {
    const parts = node.entries.map(([name, leaf], i) => {
      const elements = elementsOf(leaf.tensor);
      return {
        key: Buffer.from(`${i > 0 ? ',' : ''}${JSON.stringify(name)}:`),
        one: jsonText(elements),
        width: elements.width,
      };
    });
    const { width } = parts[0]!;
    return (out, row) => {
      out.byte(OPEN);
      for (let i = 0; i < width; i++) {
        if (i > 0) out.byte(COMMA);
        out.byte(OPEN_OBJECT);
        for (const { key, one } of parts) {
          out.raw(key);
          one(out, row * width + i);
        }
        out.byte(CLOSE_OBJECT);
      }
      out.byte(CLOSE);
    };
  }
  const array = node.kind === 'array';
  const parts = node.entries.map(([name, inner], i) => {
    const key = array ? '' : `${JSON.stringify(name)}:`;
    return [Buffer.from(i > 0 ? `,${key}` : key), jsonNode(inner)] as const;
  });
  return (out, row) => {
    out.byte(array ? OPEN : OPEN_OBJECT);
    for (const [key, text] of parts) {
      out.raw(key);
      text(out, row);
    }
    out.byte(array ? CLOSE : CLOSE_OBJECT);
  };
}

/** `{"row":0,"prediction":7,"output":[...]}`, a line for each row. */
export class JsonlWriter implements ResultWriter {
  readonly state = null;
  private readonly text = new TextBuffer();

  constructor(private readonly output: Output) {}

  async write(columns: readonly (readonly [string, ResultNode])[], rows: number, place: BatchPlace): Promise<void> {
    const { text } = this;
    const parts = columns.map(([name, node]) => [Buffer.from(`,${JSON.stringify(name)}:`), jsonNode(node)] as const);
    for (let i = 0; i < rows; i++) {
      text.raw(ROW);
      text.number(place.row(i));
      const file = place.file(i);
      if (file !== null) text.text(`,"file":${JSON.stringify(file)}`);
      for (const [key, value] of parts) {
        text.raw(key);
        value(text, i);
      }
      text.byte(CLOSE_OBJECT);
      text.byte(NEWLINE);
    }
    await this.output.write(text.take());
  }

  async finish(): Promise<void> {}
}

/** A field of a CSV file, in quotes where it needs them (RFC 4180). */
const csvField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The names and values of a column's fields; each value has a comma before it. */
function csvFields(name: string, node: ResultNode): { names: string[]; text: RowText } {
  if (node.kind === 'leaf') {
    const elements = elementsOf(node.tensor);
    const { width } = elements;
    const shape = node.tensor.shape.slice(1);
    const names = Array.from({ length: width }, (_, i) => {
      const position: number[] = [];
      for (let d = shape.length - 1, rest = i; d >= 0; rest = Math.floor(rest / shape[d--]!))
        position.unshift(rest % shape[d]!);
      return csvField([name, ...position].join('_'));
    });
    const one = csvText(elements);
    const text: RowText = (out, row) => {
      for (let i = 0; i < width; i++) {
        out.byte(COMMA);
        one(out, row * width + i);
      }
    };
    return { names, text };
  }
  const parts = node.entries.map(([key, inner]) => csvFields(`${name}_${key}`, inner));
  return {
    names: parts.flatMap((p) => p.names),
    text: (out, row) => {
      for (const part of parts) part.text(out, row);
    },
  };
}

/** A table with a heading: `row,prediction,output_0,output_1`. */
export class CsvWriter implements ResultWriter {
  private heading: string | null;
  private readonly text = new TextBuffer();

  /** @param state the heading, if it is written already. */
  constructor(
    private readonly output: Output,
    state: unknown,
  ) {
    this.heading = typeof state === 'string' ? state : null;
  }

  get state(): unknown {
    return this.heading;
  }

  async write(columns: readonly (readonly [string, ResultNode])[], rows: number, place: BatchPlace): Promise<void> {
    const { text } = this;
    const parts = columns.map(([name, node]) => csvFields(name, node));
    const named = place.file(0) !== null;
    const heading = `${['row', ...(named ? ['file'] : []), ...parts.flatMap((p) => p.names)].join(',')}\n`;
    if (this.heading === null) text.text((this.heading = heading));
    else if (heading !== this.heading)
      throw new CliError('the results have another form than those before; a table cannot hold both (use .jsonl)');
    for (let i = 0; i < rows; i++) {
      text.number(place.row(i));
      if (named) text.text(`,${csvField(place.file(i)!)}`);
      for (const part of parts) part.text(text, i);
      text.byte(NEWLINE);
    }
    await this.output.write(text.take());
  }

  async finish(): Promise<void> {}
}

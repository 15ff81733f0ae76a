// Numbers from bytes of text, without making strings of them.

/** Powers of ten that a double holds exactly. */
export const POWERS = Float64Array.from({ length: 23 }, (_, n) => Number(`1e${n}`));

const ZERO = 48;
const NINE = 57;
const SPACE = 32;
const COMMA = 44;
const MINUS = 45;
const PLUS = 43;
const DOT = 46;
const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;
const BIG_E = 69;
const SMALL_E = 101;
const CLOSE = 93;

/** Where the last call of `scan` stopped; -1 if there was no number. */
let stopped = 0;

/**
 * The number in JSON's notation at `at`. Up to 15 digits times a power of ten that is exact, one rounding gives the nearest
 * double (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990); the rest is left to the engine.
 */
function scan(bytes: Buffer, at: number): number {
  let i = at;
  let c = bytes[i]!;
  const negative = c === MINUS;
  if (negative) c = bytes[++i]!;
  let value = c - ZERO;
  if (!(value >= 0 && value <= 9)) {
    stopped = -1;
    return 0;
  }
  const first = i;
  c = bytes[++i]!;
  // JSON has no leading zeros; CSV may, which goes the long way.
  if (value === 0 && c >= ZERO && c <= NINE) {
    stopped = -1;
    return 0;
  }
  for (; c >= ZERO && c <= NINE; c = bytes[++i]!) value = value * 10 + (c - ZERO);
  let digits = i - first;
  let scale = 0;
  if (c === DOT) {
    const dot = i;
    for (c = bytes[++i]!; c >= ZERO && c <= NINE; c = bytes[++i]!) value = value * 10 + (c - ZERO);
    scale = i - dot - 1;
    digits += scale;
    if (scale === 0) {
      stopped = -1;
      return 0;
    }
  }
  if (c === SMALL_E || c === BIG_E) {
    c = bytes[++i]!;
    const down = c === MINUS;
    if (down || c === PLUS) c = bytes[++i]!;
    if (!(c >= ZERO && c <= NINE)) {
      stopped = -1;
      return 0;
    }
    let exponent = 0;
    for (; c >= ZERO && c <= NINE; c = bytes[++i]!) exponent = Math.min(exponent * 10 + (c - ZERO), 100_000);
    scale += down ? exponent : -exponent;
  }
  stopped = i;
  if (digits > 15 || scale > 22 || scale < -22) return Number(bytes.toString('latin1', at, i));
  if (scale > 0) value /= POWERS[scale]!;
  else if (scale < 0) value *= POWERS[-scale]!;
  return negative ? -value : value;
}

/** Somewhere to put numbers. */
export type Numbers = Float32Array | Float64Array;

/**
 * Reads a line of exactly `width` numbers with commas between them.
 * @param bytes text whose last byte is a line feed.
 * @returns where the next line starts; -1 if the line is anything else.
 */
export function scanLine(bytes: Buffer, start: number, out: Numbers, to: number, width: number): number {
  let at = start;
  for (let i = 0; i < width; i++) {
    while (bytes[at] === SPACE) at++;
    out[to + i] = scan(bytes, at);
    if (stopped < 0) return -1;
    at = stopped;
    while (bytes[at] === SPACE) at++;
    if (i < width - 1) {
      if (bytes[at] !== COMMA) return -1;
      at++;
    }
  }
  return lineEnd(bytes, at);
}

/**
 * Reads some columns of a line with commas and without quotes.
 * @param slots for each column its place in the row, or -1; there may be more columns in the line.
 * @returns where the next line starts; -1 if the line is anything else.
 */
export function scanColumns(bytes: Buffer, start: number, out: Numbers, to: number, slots: Int32Array): number {
  let at = start;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (slot < 0) {
      let c = bytes[at]!;
      while (c !== COMMA && c !== NEWLINE && c !== QUOTE) c = bytes[++at]!;
      if (c === QUOTE) return -1;
    } else {
      while (bytes[at] === SPACE) at++;
      out[to + slot] = scan(bytes, at);
      if (stopped < 0) return -1;
      at = stopped;
      while (bytes[at] === SPACE) at++;
    }
    if (i < slots.length - 1) {
      if (bytes[at] !== COMMA) return -1;
      at++;
    }
  }
  let c = bytes[at]!;
  if (c !== COMMA) return lineEnd(bytes, at);
  // The columns behind the last one that is asked for.
  while (c !== NEWLINE && c !== QUOTE) c = bytes[++at]!;
  return c === QUOTE ? -1 : at + 1;
}

/** Reads a line that is a JSON array of exactly `width` numbers; otherwise as `scanLine`. */
export function scanJsonArray(bytes: Buffer, start: number, out: Numbers, to: number, width: number): number {
  let at = start;
  if (bytes[at] !== 91) return -1;
  at++;
  for (let i = 0; i < width; i++) {
    while (bytes[at] === SPACE) at++;
    out[to + i] = scan(bytes, at);
    if (stopped < 0) return -1;
    at = stopped;
    while (bytes[at] === SPACE) at++;
    if (bytes[at] !== (i < width - 1 ? COMMA : CLOSE)) return -1;
    at++;
  }
  while (bytes[at] === SPACE) at++;
  return lineEnd(bytes, at);
}

function lineEnd(bytes: Buffer, at: number): number {
  if (bytes[at] === NEWLINE) return at + 1;
  return bytes[at] === RETURN && bytes[at + 1] === NEWLINE ? at + 2 : -1;
}

const WORDS: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '+infinity': Infinity,
  '-infinity': -Infinity,
};
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number that a field of text is; undefined if it is none. */
export function readNumber(text: string): number | undefined {
  const trimmed = text.trim();
  return NUMBER.test(trimmed) ? Number(trimmed) : WORDS[trimmed.toLowerCase()];
}

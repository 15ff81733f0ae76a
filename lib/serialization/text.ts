// Text inside pickles: Python's UTF-8, which may hold lone surrogates, and the literals of protocol 0.
import { RuntimeError } from '../core/errors.js';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Python's `bytes.decode('utf-8', 'surrogatepass')`: a lone surrogate, which strict UTF-8 forbids, is three bytes.
 * @throws RuntimeError for bytes that are no UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeWithSurrogates(bytes);
  }
}

function decodeWithSurrogates(bytes: Uint8Array): string {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i + 2 < bytes.length; i++) {
    if (bytes[i] !== 0xed || bytes[i + 1]! < 0xa0 || bytes[i + 1]! > 0xbf || (bytes[i + 2]! & 0xc0) !== 0x80) continue;
    parts.push(decodePart(bytes.subarray(from, i)));
    parts.push(String.fromCharCode(0xd000 | ((bytes[i + 1]! & 63) << 6) | (bytes[i + 2]! & 63)));
    from = i + 3;
    i += 2;
  }
  parts.push(decodePart(bytes.subarray(from)));
  return parts.join('');
}

function decodePart(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw new RuntimeError('the pickle holds a string that is not UTF-8');
  }
}

const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** UTF-8 that keeps lone surrogates, as Python's 'surrogatepass' does. */
export function encodeUtf8(text: string): Uint8Array {
  if (!LONE.test(text)) return Buffer.from(text, 'utf8');
  const parts: Uint8Array[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const lone = code >= 0xd800 && code <= 0xdfff;
    parts.push(
      lone
        ? Uint8Array.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
        : Buffer.from(char, 'utf8'),
    );
  }
  return Buffer.concat(parts);
}

/** Bytes as the characters of the same codes, and back: how protocol 2 writes a bytes object. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** @throws RuntimeError for a character beyond 255. */
export function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) throw new RuntimeError('the pickle holds bytes with a character beyond latin1');
    bytes[i] = code;
  }
  return bytes;
}

/** Python refuses longer ones too: parsing decimal digits takes quadratic time. */
const MAX_DIGITS = 4300;

/**
 * An integer as Python's int is kept here: a number where it is exact, else a bigint.
 */
export function pythonInt(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** Decimal digits with an optional sign. */
export function parseDecimal(text: string): number | bigint {
  if (!/^[+-]?\d+$/.test(text) || text.length > MAX_DIGITS) {
    throw new RuntimeError(`the pickle holds a malformed integer: ${text.slice(0, 40)}`);
  }
  return pythonInt(BigInt(text.startsWith('+') ? text.slice(1) : text));
}

/** A little-endian two's complement integer of any length. */
export function parseLong(bytes: Uint8Array): number | bigint {
  if (bytes.length === 0) return 0;
  const hex = Buffer.from(bytes).reverse().toString('hex');
  const magnitude = BigInt(`0x${hex}`);
  return pythonInt(bytes[bytes.length - 1]! & 0x80 ? magnitude - (1n << BigInt(8 * bytes.length)) : magnitude);
}

/** Python's repr of a float. */
export function parseFloatText(text: string): number {
  const special: Record<string, number> = { inf: Infinity, '+inf': Infinity, '-inf': -Infinity, nan: NaN, '-nan': NaN };
  if (Object.hasOwn(special, text)) return special[text]!;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    throw new RuntimeError(`the pickle holds a malformed float: ${text.slice(0, 40)}`);
  }
  return Number(text);
}

const ESCAPES: Record<string, number> = { '\\': 92, "'": 39, '"': 34, a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** The bytes of a quoted Python 2 string literal, as opcode STRING holds it (`'it\\'s'`). */
export function parseQuoted(line: string): Uint8Array {
  const quote = line[0];
  if (line.length < 2 || (quote !== "'" && quote !== '"') || line[line.length - 1] !== quote) {
    throw new RuntimeError('the pickle holds a string without quotes');
  }
  const out: number[] = [];
  for (let i = 1; i < line.length - 1; i++) {
    const char = line[i]!;
    if (char !== '\\') {
      out.push(char.charCodeAt(0));
      continue;
    }
    const rest = line.slice(i + 1, Math.min(i + 4, line.length - 1));
    const hex = /^x[0-9a-fA-F]{2}/.exec(rest);
    const octal = /^[0-7]{1,3}/.exec(rest);
    if (hex) out.push(parseInt(hex[0].slice(1), 16));
    else if (octal) out.push(parseInt(octal[0], 8) & 255);
    else if (rest[0] !== undefined && Object.hasOwn(ESCAPES, rest[0])) out.push(ESCAPES[rest[0]]!);
    else throw new RuntimeError('the pickle holds a string with a malformed escape');
    i += hex ? 3 : octal ? octal[0].length : 1;
  }
  return Uint8Array.from(out);
}

/** Opcode UNICODE: latin1 text with \uXXXX and \UXXXXXXXX escapes. */
export function parseRawUnicode(line: string): string {
  return line.replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/g, (_, code: string) => {
    const point = parseInt(code.slice(1), 16);
    if (point > 0x10ffff) throw new RuntimeError('the pickle holds a character out of range');
    return String.fromCodePoint(point);
  });
}

// JSON as a file's header has it: unlike JSON.parse, a name may not occur twice, and the depth is bounded.
import { RuntimeError } from '../core/errors.js';

/** An object of a header: a Map, so that no name can mean anything special. */
export type JsonObject = Map<string, JsonValue>;
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

const MAX_DEPTH = 8;
/** A string's extent; what lies between the quotes is JSON.parse's to judge. */
const STRING = /"(?:[^"\\]|\\.)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;

class Parser {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly what: string,
  ) {}

  parse(): JsonValue {
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) throw this.error();
    return value;
  }

  private error(): RuntimeError {
    return new RuntimeError(`${this.what} is not valid JSON at character ${this.at}`);
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return null;
    this.at += found[0].length;
    return found[0];
  }

  private space(): void {
    this.match(SPACE);
  }

  private skip(char: string): boolean {
    this.space();
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  private value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new RuntimeError(`${this.what} is nested too deeply`);
    if (this.skip('{')) return this.object(depth);
    if (this.skip('[')) return this.array(depth);
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    if (this.text[this.at] === '"') return this.string();
    const number = this.match(NUMBER);
    if (number === null) throw this.error();
    return Number(number);
  }

  private string(): string {
    const literal = this.match(STRING);
    if (literal === null) throw this.error();
    try {
      return JSON.parse(literal) as string;
    } catch {
      throw this.error();
    }
  }

  private array(depth: number): JsonValue[] {
    const out: JsonValue[] = [];
    if (this.skip(']')) return out;
    do out.push(this.value(depth + 1));
    while (this.skip(','));
    if (!this.skip(']')) throw this.error();
    return out;
  }

  private object(depth: number): JsonObject {
    const out: JsonObject = new Map();
    if (this.skip('}')) return out;
    do {
      this.space();
      const key = this.string();
      if (out.has(key)) throw new RuntimeError(`${this.what} names '${key.slice(0, 60)}' twice`);
      if (!this.skip(':')) throw this.error();
      out.set(key, this.value(depth + 1));
    } while (this.skip(','));
    if (!this.skip('}')) throw this.error();
    return out;
  }
}

/**
 * Parses JSON strictly.
 * @param what how error messages call the text.
 */
export function parseStrictJson(text: string, what: string): JsonValue {
  return new Parser(text, what).parse();
}

// Running the built command line, as a user does.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const main = path.join(__dirname, '..', '..', 'dist', 'cli', 'main.js');

/** A model of test/cli/models. */
export const model = (name: string): string => path.join(__dirname, 'models', name);

export interface Result {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  input?: string | Uint8Array;
  cwd?: string;
}

/** Runs `flambeau` with arguments. */
export function flambeau(args: readonly string[], { env, input, cwd }: RunOptions = {}): Result {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
    ...(input === undefined ? {} : { input }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  return { status, signal, stdout, stderr };
}

/** A folder for a test file's files, removed after its tests. */
export class Folder {
  private path = '';

  constructor() {
    beforeAll(() => {
      this.path = mkdtempSync(path.join(tmpdir(), 'flambeau-cli-'));
    });
    afterAll(() => rmSync(this.path, { recursive: true }));
  }

  /** The path of a file in it; without a name the folder's own. */
  at(...name: string[]): string {
    return path.join(this.path, ...name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.at(name), content);
    return this.at(name);
  }

  read(name: string): string {
    return readFileSync(this.at(name), 'utf8');
  }

  exists(name: string): boolean {
    return existsSync(this.at(name));
  }

  /** The names of files that jobs keep beside their outputs, of those that start as the outputs' names do. */
  partial(start = ''): string[] {
    return readdirSync(this.path)
      .filter((name) => name.startsWith(start) && /\.partial|\.tmp$/.test(name))
      .sort();
  }
}

export const lines = (text: string): string[] => text.trimEnd().split('\n');

/** The objects of JSON lines. */
export const records = (text: string): Record<string, unknown>[] =>
  lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);

/** What `flambeau infer` says when all went well. */
export const DONE = /^\d+ rows in \d+\.\d\d s, \d+ rows\/s\n$/;

// flambeau infer on a terminal, and at the end of a pipe.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { DONE, flambeau, Folder, lines, main, model, records } from './run';

const folder = new Folder();
/** A file of some rows; it is the same file each time, as a job that goes on needs it. */
const input = (rows: number): string => {
  const name = `in-${rows}.csv`;
  return folder.exists(name) ? folder.at(name) : folder.write(name, '1,2,3\n'.repeat(rows));
};
const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Runs a command on a terminal of its own; null where the system's `script`, which makes one, is not of util-linux. */
function onTerminal(command: readonly string[]): { status: number | null; screen: string } | null {
  if (!spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux')) return null;
  const line = command.map(quote).join(' ');
  const { status, stdout } = spawnSync('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    encoding: 'utf8',
    input: '',
  });
  return { status, screen: stdout };
}

const job = (rows: number, ...more: string[]): string[] => {
  const given = ['--model', model('slow.cjs'), '--input', input(rows), '--output', folder.at('out.jsonl')];
  return ['infer', ...given, '--batch-size', '10', ...more];
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: what moves a terminal's cursor is what is looked for.
const CONTROL = /\u001b\[/;

describe('progress', () => {
  const BAR = /(=*)(-*) \d+% \| [\d,]+ rows \| [\d,]+ rows\/s \| (\?|(\d+h )?(\d+m )?\d+[ms]) left/g;

  test('is a bar with rate and time left on a terminal, gone in the end', () => {
    const found = onTerminal([process.execPath, main, ...job(100)]);
    // Without a terminal at hand: the lines that are asked for.
    const screen = found?.screen ?? flambeau(job(100, '--progress', 'always')).stderr;
    const bars = [...screen.matchAll(BAR)];
    expect(bars.length).toBeGreaterThan(1);
    expect(bars.every(([, done, left]) => done!.length + left!.length === 30)).toBe(true);
    expect(screen).toMatch(/100 rows in \d+\.\d\d s, \d+ rows\/s\s*$/);
    if (found === null) return;
    expect(found.status).toBe(0);
    // The line is redrawn in its place, and cleared before the last message.
    expect(screen).toMatch(CONTROL);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
    expect(screen).toMatch(/\u001b\[2K100 rows in/);
    // The cursor is hidden meanwhile and shown again.
    expect(screen.lastIndexOf('\u001b[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001b[?25l'));
  });

  test('counts on from where an interrupted job was', () => {
    flambeau(job(100, '--resume-interval', '0'), { env: { SLOW_ROWS: '50' } });
    expect(folder.partial()).toHaveLength(2);
    const { status, stderr } = flambeau(job(100, '--resume', '--progress', 'always'));
    expect(status).toBe(0);
    const [first] = stderr.matchAll(BAR);
    expect([first![1]!.length, first![0]]).toEqual([15, expect.stringContaining(' 50% | 50 rows')]);
  });

  test('stays away where there is no terminal, or on request', () => {
    const piped = flambeau(job(30));
    expect([piped.stderr, CONTROL.test(piped.stderr)]).toEqual([expect.stringMatching(DONE), false]);
    const found = onTerminal([process.execPath, main, ...job(30, '--progress', 'never')]);
    if (found) expect([found.status, found.screen]).toEqual([0, expect.stringMatching(/^30 rows in [^\n]*\s*$/)]);
  });

  test('is a count where the end of the input is unknown', () => {
    const given = ['--model', model('slow.cjs'), '--input', '-', '--input-format', 'csv', '--output', '-'];
    const { status, stdout, stderr } = flambeau(['infer', ...given, '--batch-size', '10', '--progress', 'always'], {
      input: '1,2,3\n'.repeat(30),
    });
    expect([status, records(stdout).length]).toEqual([0, 30]);
    expect(stderr).toMatch(/[\d,]+ rows \| [\d,]+ rows\/s \| \d+s so far/);
  });
});

describe('a pipe', () => {
  test('that is closed early ends the command quietly', async () => {
    const rows = 20_000;
    const given = ['--model', model('sum.cjs'), '--input', input(rows), '--output', '-'];
    const child = spawn(process.execPath, [main, 'infer', ...given], { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      told += piece;
    });
    await once(child.stdout, 'readable');
    child.stdout.destroy();
    expect([await once(child, 'exit'), told]).toEqual([[0, null], '']);
  });

  test('gets results alone; messages go to standard error', () => {
    const given = ['--model', model('sum.cjs'), '--input', input(3), '--output', '-'];
    const { stdout, stderr } = flambeau(['infer', ...given]);
    expect(lines(stdout).map((line) => JSON.parse(line) as unknown)).toEqual(
      [0, 1, 2].map((row) => ({ row, output: 6 })),
    );
    expect(stderr).toMatch(DONE);
  });

  test('that results go into is no file to be replaced', () => {
    const { status } = flambeau(['infer', '--model', model('sum.cjs'), '--input', input(3), '--output', '/dev/null']);
    expect(status).toBe(0);
  });
});

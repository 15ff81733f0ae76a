// flambeau infer: what is left when a job is killed, and how it goes on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import torch from 'flambeau';
import { flambeau, Folder, main, model, type Result } from './run';

const folder = new Folder();
const ROWS = 50;
const rows = Array.from({ length: ROWS }, (_, i) => [i, i / 8, -i]);
const text = rows.map((row) => `${row.join(',')}\n`).join('');
const tensor = torch.tensor(rows).to(torch.float32);

/** Inputs by their kind. */
const inputs = (): Record<string, string[]> => ({
  csv: [folder.write('in.csv', text)],
  packed: [folder.write('in.csv.gz', gzipSync(text))],
  jsonl: [folder.write('in.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))],
  npy: [folder.write('in.npy', torch.toNumpy(tensor))],
  several: [folder.at('in.csv'), folder.at('in.npy'), folder.write('tail.csv', '1,2,3\n4,5,6\n')],
});

interface Job {
  input: readonly string[];
  output: string;
  more?: readonly string[];
}

/** Runs a job in batches of 7 that notes its place after each; it ends itself as `env` says. */
function run({ input, output, more = [] }: Job, env: Record<string, string> = {}): Result {
  const args = ['--model', model('mortal.cjs'), '--input', ...input, '--output', output, '--batch-size', '7'];
  return flambeau(['infer', ...args, '--resume-interval', '0', ...more], { env });
}

/** What a job writes that nothing disturbs. */
function undisturbed(input: readonly string[], format: string, more: readonly string[] = []): Buffer {
  const output = folder.at(`whole.${format}`);
  const { status, stderr } = run({ input, output, more });
  expect([status, stderr]).toEqual([more.includes('--errors') ? 1 : 0, expect.stringContaining(' rows in ')]);
  return readFileSync(output);
}

test.each([
  ['csv', 'jsonl'],
  ['csv', 'safetensors'],
  ['packed', 'csv'],
  ['jsonl', 'jsonl'],
  ['npy', 'safetensors'],
  ['several', 'csv'],
])('a job over %s that is killed again and again writes the same %s in the end', (kind, format) => {
  const input = inputs()[kind]!;
  const wanted = undisturbed(input, format);
  const output = folder.at(`killed-${kind}.${format}`);
  const first = run({ input, output }, { MORTAL_ROWS: '10' });
  expect([first.signal, existsSync(output)]).toEqual(['SIGKILL', false]);
  expect(folder.partial('killed-')).toContain(`killed-${kind}.${format}.partial`);
  // It is killed once more before it gets a batch further, then further on.
  for (const seen of ['0', '20']) {
    const again = run({ input, output, more: ['--resume'] }, { MORTAL_ROWS: seen });
    expect([again.signal, existsSync(output)]).toEqual(['SIGKILL', false]);
  }
  const last = run({ input, output, more: ['--resume'] });
  expect([last.status, last.stderr]).toEqual([0, expect.stringMatching(/^\d+ rows in /)]);
  // 7 rows of the first run and 14 of the third were done before.
  const all = ROWS * (kind === 'several' ? 2 : 1) + (kind === 'several' ? 2 : 0);
  expect(Number(/^\d+/.exec(last.stderr)![0])).toBe(all - 21);
  expect(readFileSync(output).equals(wanted)).toBe(true);
  expect(folder.partial('killed-')).toEqual([]);
});

test('a kill at any change of a file leaves no output or the whole one, and the job goes on from there', () => {
  const hook = path.join(__dirname, 'mortal.cjs');
  const input = [folder.write('short.csv', '1,2\nx,3\n3,4\n4,5\n5,6\n6,7\n7,8\n8,9\n9,10\n')];
  const output = folder.at('any.safetensors');
  const errors = folder.at('any-errors.jsonl');
  const more = ['--errors', errors];
  const wanted = undisturbed(input, 'safetensors', more);
  const wantedErrors = readFileSync(errors);
  const env = { NODE_OPTIONS: `--require ${JSON.stringify(hook)}` };
  const count = run({ input, output, more }, env);
  const changes = Number(/^changes: (\d+)$/m.exec(count.stderr)?.[1]);
  expect(changes).toBeGreaterThan(20);
  // After one change is before the next, so that every second one will do; the last ones are the renaming.
  for (let call = 1; call <= changes; call += call < changes - 8 ? 2 : 1) {
    writeFileSync(output, 'before');
    writeFileSync(errors, 'before');
    const killed = run({ input, output, more }, { ...env, MORTAL_CALL: String(call) });
    expect([call, killed.signal]).toEqual([call, 'SIGKILL']);
    const left = readFileSync(output);
    expect([call, left.toString() === 'before' || left.equals(wanted)]).toEqual([call, true]);
    const resumed = run({ input, output, more: [...more, '--resume'] });
    expect([call, resumed.status, resumed.stderr]).toEqual([call, 1, expect.stringMatching(/; 1 bad rows in /)]);
    expect([call, readFileSync(output).equals(wanted), readFileSync(errors).equals(wantedErrors)]).toEqual([
      call,
      true,
      true,
    ]);
    expect([call, folder.partial('any')]).toEqual([call, []]);
  }
}, 600_000);

test('a signal ends a job in order', () => {
  const { csv } = inputs() as { csv: string[] };
  const output = folder.at('asked.jsonl');
  const wanted = undisturbed(csv, 'jsonl');
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const asked = run({ input: csv, output }, { MORTAL_ROWS: '20', MORTAL_SIGNAL: signal });
    expect([asked.status, asked.stderr]).toEqual([
      code,
      expect.stringMatching(/^flambeau: \d+ rows are kept in .*\nflambeau: interrupted\n$/),
    ]);
    expect(existsSync(output)).toBe(false);
    expect(run({ input: csv, output, more: ['--resume'] }).status).toBe(0);
    expect(readFileSync(output).equals(wanted)).toBe(true);
    rmSync(output);
  }
});

test('a job killed from outside goes on', async () => {
  const input = folder.write('large.csv', text.repeat(400));
  const output = folder.at('outside.jsonl');
  const args = ['--model', model('mortal.cjs'), '--input', input, '--output', output, '--batch-size', '7'];
  const child = spawn(process.execPath, [main, 'infer', ...args, '--resume-interval', '0'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const note = `${output}.partial.json`;
  const noted = (): boolean => existsSync(note) && /"rows":[1-9]/.test(readFileSync(note, 'utf8'));
  while (!noted() && child.exitCode === null) await new Promise((done) => setTimeout(done, 5));
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(existsSync(output)).toBe(false);
  const { status, stderr } = flambeau(['infer', ...args, '--resume']);
  expect([status, Number(/^\d+/.exec(stderr)?.[0]) < ROWS * 400]).toEqual([0, true]);
  const found = readFileSync(output, 'utf8').trimEnd().split('\n');
  expect(found.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual(
    Array.from({ length: ROWS * 400 }, (_, i) => i),
  );
});

describe('--resume', () => {
  const interrupted = (): Job => {
    const job = { input: inputs()['csv']!, output: folder.at('job.jsonl') };
    run(job, { MORTAL_ROWS: '20' });
    return job;
  };

  test('begins where there is nothing to go on from', () => {
    const job = { input: inputs()['csv']!, output: folder.at('new.jsonl'), more: ['--resume'] };
    expect(run(job)).toMatchObject({ status: 0, stderr: expect.stringMatching(/^50 rows in /) as string });
    expect(run(job)).toMatchObject({ status: 0, stderr: expect.stringMatching(/^50 rows in /) as string });
  });

  test('refuses another job, and a new job drops the old one', () => {
    const job = interrupted();
    for (const [option, more] of [
      ['--batch-size', ['--batch-size', '8']],
      ['--dtype', ['--dtype', 'float64']],
      ['--output-format', ['--output-format', 'csv']],
    ] as const) {
      const { status, stderr } = run({ ...job, more: ['--resume', ...more] });
      expect([status, stderr]).toEqual([3, expect.stringContaining(`cannot go on: ${option} is not what it was`)]);
    }
    expect(run({ ...job, input: inputs()['npy']!, more: ['--resume'] }).stderr).toContain('--input is not what it was');
    // Refusing has changed nothing.
    expect(folder.partial('job')).toEqual(['job.jsonl.partial', 'job.jsonl.partial.json']);
    folder.write('in.csv', `${text}1,2,3\n`);
    expect(run({ ...job, more: ['--resume'] }).stderr).toContain('--input is not what it was');
    const anew = run(job);
    expect([anew.status, anew.stderr]).toEqual([
      0,
      expect.stringMatching(/^flambeau: 14 rows of an interrupted job are dropped/),
    ]);
    expect(folder.partial('job')).toEqual([]);
  });

  test('refuses a partial file that is shorter than it was', () => {
    const job = interrupted();
    writeFileSync(`${job.output}.partial`, 'short');
    const { status, stderr } = run({ ...job, more: ['--resume'] });
    expect([status, stderr]).toEqual([3, expect.stringContaining('is shorter than it was')]);
    expect(run(job).status).toBe(0);
  });

  test('begins anew if the note cannot be read', () => {
    const job = interrupted();
    writeFileSync(`${job.output}.partial.json`, '{"version":1,');
    expect(run({ ...job, more: ['--resume'] })).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^50 rows in /) as string,
    });
  });

  test('refuses a job that another process is at', async () => {
    const input = folder.write('endless.csv', text.repeat(2000));
    const output = folder.at('busy.jsonl');
    const args = ['infer', '--model', model('mortal.cjs'), '--input', input, '--output', output, '--batch-size', '1'];
    const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    while (!existsSync(`${output}.partial.json`) && child.exitCode === null)
      await new Promise((done) => setTimeout(done, 5));
    child.kill('SIGSTOP');
    for (const more of [[], ['--resume']]) {
      const { status, stderr } = flambeau([...args, ...more]);
      expect([status, stderr]).toEqual([3, expect.stringContaining(`process ${child.pid} is writing ${output}`)]);
    }
    child.kill('SIGKILL');
    await ended;
  });

  test('knows what rows were bad before', () => {
    const input = [folder.write('some.csv', `x,2,3\n${text}`)];
    const job = { input, output: folder.at('bad.jsonl') };
    const errors = (name: string): string[] => ['--errors', folder.at(name)];
    run({ ...job, more: errors('one.jsonl') }, { MORTAL_ROWS: '20' });
    expect(run({ ...job, more: ['--resume', ...errors('two.jsonl')] }).stderr).toContain('--errors is not what it was');
    expect(run({ ...job, more: ['--resume'] }).stderr).toContain('--errors is not what it was');
    expect(run({ ...job, more: ['--resume', ...errors('one.jsonl')] }).status).toBe(1);
    expect(folder.read('one.jsonl').split('\n')).toHaveLength(2);
    expect(folder.read('bad.jsonl').trimEnd().split('\n')).toHaveLength(ROWS);
  });
});

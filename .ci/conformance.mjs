// Compares with the recorded cases of PyTorch, where they are at hand, and fails on a crash or on fewer passing cases than
// conformance-floor.json asks for. Ends with `N passed, N failed`: the cases that pass, and the groups below their floor.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const [runner] = process.argv.slice(2);
const floor = JSON.parse(readFileSync(new URL('./conformance-floor.json', import.meta.url), 'utf8'));
const scratch = mkdtempSync(path.join(tmpdir(), 'conformance-'));
const report = path.join(scratch, 'report.json');
spawnSync(process.execPath, [runner, '--failures', '5', '--json', report], { stdio: 'inherit' });

let passed = 0;
let failed = 0;
let groups = {};
try {
  groups = JSON.parse(readFileSync(report, 'utf8'));
} catch {
  console.log('the runner left no report');
}
rmSync(scratch, { recursive: true });
for (const [name, least] of Object.entries(floor)) {
  const { pass = 0, of = 0, crashes = 0 } = groups[name] ?? {};
  passed += pass;
  const wrong = !groups[name]
    ? 'did not run'
    : crashes
      ? `${crashes} crashes`
      : pass < least
        ? `below its floor of ${least}`
        : '';
  if (wrong) failed++;
  console.log(`conformance ${name}: ${pass} of ${of}, floor ${least}${wrong ? `: ${wrong}` : ''}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

// Loaded before the command line: kills the process after the n-th change of a file (MORTAL_CALL); without a number
// it counts the changes and writes the count to standard error at the end.
const fs = require('node:fs');

const limit = Number(process.env.MORTAL_CALL ?? Infinity);
let calls = 0;

/** Counts a change that has happened. */
function changed() {
  if (++calls === limit) process.kill(process.pid, 'SIGKILL');
}

for (const name of ['openSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync']) {
  const original = fs[name];
  fs[name] = (...args) => {
    // The loading of modules opens files, too; only those of a job count.
    if (!JSON.stringify(args).includes('partial') && name !== 'writeSync' && name !== 'fsyncSync')
      return original(...args);
    const result = original(...args);
    changed();
    return result;
  };
}

const promises = require('node:fs/promises');
const { open } = promises;
promises.open = async (...args) => {
  const handle = await open(...args);
  const prototype = Object.getPrototypeOf(handle);
  if (!prototype.counted) {
    prototype.counted = true;
    for (const name of ['write', 'truncate', 'datasync', 'sync', 'close']) {
      const original = prototype[name];
      prototype[name] = async function (...rest) {
        const result = await original.apply(this, rest);
        changed();
        return result;
      };
    }
  }
  return handle;
};

process.on('exit', () => {
  if (limit === Infinity) fs.writeFileSync(2, `changes: ${calls}\n`);
});

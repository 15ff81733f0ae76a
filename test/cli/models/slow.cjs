// A model that takes its time, so that there is progress to be seen; it ends its process after SLOW_ROWS rows.
const { nn } = require('flambeau');

let rows = Number(process.env.SLOW_ROWS ?? Infinity);
const pause = new Int32Array(new SharedArrayBuffer(4));
module.exports = class Slow extends nn.Module {
  forward(x) {
    rows -= x.size(0);
    if (rows < 0) process.kill(process.pid, 'SIGKILL');
    Atomics.wait(pause, 0, 0, 60);
    return x.sum(1);
  }
};

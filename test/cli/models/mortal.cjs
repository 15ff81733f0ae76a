// A model whose process ends, as by a kill or a request to stop, when it has seen MORTAL_ROWS rows; else sums of rows.
const { nn } = require('flambeau');

let rows = Number(process.env.MORTAL_ROWS ?? Infinity);
module.exports = class Mortal extends nn.Module {
  forward(x) {
    rows -= x.size(0);
    if (rows < 0) {
      rows = Infinity;
      process.kill(process.pid, process.env.MORTAL_SIGNAL ?? 'SIGKILL');
    }
    return { sum: x.sum(1), double: x.mul(2) };
  }
};

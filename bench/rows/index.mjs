// The rows of the table. A row has a name, a group, what it is about, the kind of work and its arguments (kinds/), and
//   inner  calls per reading of the clock, for tiny work (1)
//   once   run it once per turn, however long it takes
//   flops  floating-point operations of a call; `peak: 'bfloat16'` holds them against that peak instead of float32's
//   bytes  bytes that must move when nothing is in a cache; with `reads` they are only read
import { rows as convolutions } from './convolutions.mjs';
import { rows as memory } from './memory.mjs';
import { rows as networks } from './networks.mjs';
import { rows as products } from './products.mjs';
import { rows as programs } from './programs.mjs';
import { rows as sequences } from './sequences.mjs';

export const rows = [...programs, ...products, ...convolutions, ...memory, ...sequences, ...networks];

const names = new Set();
for (const { name } of rows) {
  if (names.has(name)) throw new Error(`two rows are called ${name}`);
  names.add(name);
}

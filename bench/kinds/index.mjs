// What can be timed: each kind takes (torch, args), prepares the work and returns the call that is timed. The same kinds
// under the same names stand in pytorch/; rows/ says with which arguments they are run.
import { kinds as convolutions } from './convolutions.mjs';
import { kinds as memory } from './memory.mjs';
import { kinds as networks } from './networks.mjs';
import { kinds as products } from './products.mjs';
import { kinds as programs } from './programs.mjs';
import { kinds as sequences } from './sequences.mjs';

export const kinds = { ...programs, ...products, ...convolutions, ...memory, ...sequences, ...networks };

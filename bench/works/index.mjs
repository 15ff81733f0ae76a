// What is timed. A work has a name (the same in runner.py), what it is, `make(torch)`, which prepares it and returns the
// call that is timed, and how many calls make one reading of the clock (`inner`).
import { basics } from './basics.mjs';
import { programs } from './programs.mjs';
import { training } from './training.mjs';

export const works = [...programs, ...basics, ...training];

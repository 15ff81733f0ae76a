// torch.masked: reductions and normalizations of the elements whose mask is true.
export * from './normalizations.js';
export * from './reductions.js';

// The rows of layers that are neither convolution, pooling, normalisation nor softmax.
import { checkFile } from './structured';
import { rows } from './table/layers';

checkFile(
  'layers',
  rows.filter((row) => !/^conv|Pool|Norm$|softmax$/i.test(row.op)),
);

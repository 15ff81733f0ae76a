// Everything that follows from the rows of elementwise ops.
import { checkDtypes, checkGradients, checkValues } from './pointwise_values';
import { checkInPlace } from './pointwise_in_place';
import { checkLengths, checkNumbers, checkShapes } from './pointwise_shapes';
import { fixtures, type PointwiseRecord } from './support';
import { rows as activation } from './table/activation';
import { rows as binary } from './table/binary';
import { title } from './table/row';
import { rows as unary } from './table/unary';

describe.each([
  ['unary', unary],
  ['activation', activation],
  ['binary', binary],
] as const)('%s', (file, rows) => {
  const recorded = fixtures<PointwiseRecord>(file);
  describe.each(rows.map((row) => [title(row), row] as const))('%s', (_name, row) => {
    checkValues(row, recorded);
    checkDtypes(row, recorded);
    checkShapes(row, recorded);
    checkLengths(row, recorded);
    checkNumbers(row);
    checkInPlace(row, recorded);
    checkGradients(row);
  });
});

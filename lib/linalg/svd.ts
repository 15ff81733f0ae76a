// The singular value decomposition and what is made of it: pseudoinverse, rank, condition number.
import { needsGrad, record } from '../autograd/graph.js';
import type { DType } from '../core/dtype.js';
import { int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { div, maximum, mul, sub } from '../ops/arithmetic.js';
import { gt, select3 as where } from '../ops/comparison.js';
import { imag } from '../ops/complex.js';
import { cast } from '../ops/convert.js';
import { zerosLike } from '../ops/creation.js';
import { fnOp } from '../ops/define.js';
import { matmul } from '../ops/matmul.js';
import { amax, sum } from '../ops/reduce.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { abs, neg, reciprocal } from '../ops/unary.js';
import { narrow, unsqueeze } from '../ops/view.js';
import { finfo } from '../torch.js';
import { invokeMany } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import {
  adjoint,
  checkFloat,
  checkMatrix,
  diagonalMatrices,
  diagonals,
  identityLike,
  matrixSizes,
  scalarName,
  zerosOf,
} from './common.js';
import { eigh, eigvalsh } from './eig.js';

// Numbers that elements are multiplied by, and whether elements of a type can be.
import type { DType } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import type { Scalar } from '../../tensor/invoke.js';
import { cppName } from './type_names.js';

/**
 * Refuses factors that a result of integers or floats does not have room for.
 * @param name what the factor is called: `alpha`, `beta`.
 * @throws RuntimeError for a bool if the type is another one, and for a fraction or a complex number if it holds integers.
 */
export function checkFactor(name: string, factor: Scalar, type: DType): void {
  if (typeof factor === 'boolean') {
    if (type.name !== 'bool') throw new RuntimeError(`Boolean ${name} only supported for Boolean results.`);
    return;
  }
  const whole = typeof factor === 'bigint' || Number.isInteger(factor);
  if (!whole && !type.isFloatingPoint && !type.isComplex) {
    throw new RuntimeError(`For integral input tensors, argument ${name} must not be a floating point number.`);
  }
}

/**
 * A factor as real elements are multiplied by it: a complex one without an imaginary part is a real one.
 * @throws RuntimeError if the elements are real and the factor is not.
 */
export function realFactor(value: Scalar, type: DType): Scalar {
  if (typeof value !== 'object' || type.isComplex) return value;
  if (value.im === 0 || type.name === 'bool') return value.re;
  const integer = /^u?int(8|16|64)$/.test(type.name);
  throw new RuntimeError(
    `value cannot be converted to type ${integer ? `${type.name}_t` : cppName(type)} without overflow`,
  );
}

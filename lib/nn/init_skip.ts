// Making a module without the cost of its random initial values.
import { RuntimeError } from '../core/errors.js';
import { withoutRandomValues } from './init_draws.js';
import { Module } from './module.js';
import { typeName } from './printing.js';

/**
 * A module whose random parameters are not initialised, for one whose values are loaded next. No random number is drawn.
 * @param moduleClass a Module class that initialises its parameters with `nn.init`.
 * @param args the constructor's arguments.
 * @throws RuntimeError for something that is no Module class.
 */
export function skipInit<M extends Module, A extends unknown[]>(moduleClass: new (...args: A) => M, ...args: A): M {
  if (typeof moduleClass !== 'function' || !(moduleClass.prototype instanceof Module)) {
    throw new RuntimeError(`Expected a Module; got ${typeName(moduleClass)}`);
  }
  return withoutRandomValues(() => new moduleClass(...args));
}

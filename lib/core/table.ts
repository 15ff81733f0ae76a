// Tables that names from outside are looked up in.

/**
 * A table that holds its entries alone: a plain object also answers to `constructor` and whatever else Object.prototype has.
 * @param entries the names with their values
 * @returns the same entries, without a prototype
 */
export function tableOf<K extends string, V>(entries: Record<K, V>): Record<K, V> {
  return Object.assign(Object.create(null) as Record<K, V>, entries);
}

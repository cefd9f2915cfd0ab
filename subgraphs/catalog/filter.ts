import { badInput } from '../kit/errors.ts';
import type { ProductFilter } from './model.ts';

/** A filter as a client sends it. */
export interface FilterInput {
  categoryId?: string | null;
  minPrice?: number | null;
  maxPrice?: number | null;
  inStock?: boolean | null;
  attributes?: { name: string; value: string }[] | null;
}

const MAX_ATTRIBUTES = 20;

/** @throws HashiraError BAD_USER_INPUT when nothing could ever match the prices, or there are too many attributes */
export function toFilter(input: FilterInput | null | undefined): ProductFilter {
  const { categoryId, minPrice, maxPrice, inStock } = input ?? {};
  if (minPrice != null && maxPrice != null && minPrice > maxPrice)
    throw badInput('"minPrice" must not be above "maxPrice".', 'filter.minPrice');
  const given = input?.attributes ?? [];
  if (given.length > MAX_ATTRIBUTES)
    throw badInput(`At most ${MAX_ATTRIBUTES} attributes can be filtered by.`, 'filter.attributes');
  const attributes = new Map<string, string[]>();
  for (const { name, value } of given) attributes.set(name, [...(attributes.get(name) ?? []), value]);
  return {
    categoryId: categoryId ?? undefined,
    minPrice: minPrice ?? undefined,
    maxPrice: maxPrice ?? undefined,
    inStock: inStock ?? undefined,
    attributes,
  };
}

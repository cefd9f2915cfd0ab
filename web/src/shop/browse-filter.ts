import type { AttributeFilter, ProductFilter, ProductSort } from '../graphql/graphql.ts';

/** What a list of products is narrowed by. It lives in the address, so that a list can be shared and gone back to. */
export interface BrowseFilter {
  inStock: boolean;
  minPrice: number | null;
  maxPrice: number | null;
  attributes: AttributeFilter[];
  sort: ProductSort;
}

export const SORTS: Record<ProductSort, string> = {
  RELEVANCE: 'Newest',
  PRICE_ASC: 'Price, lowest first',
  PRICE_DESC: 'Price, highest first',
  NAME: 'Name',
  NEWEST: 'Newest',
};

export function readFilter(params: URLSearchParams): BrowseFilter {
  const price = (name: string) => {
    const value = Number(params.get(name) || Number.NaN);
    return Number.isFinite(value) && value >= 0 ? value : null;
  };
  const sort = params.get('sort') ?? '';
  return {
    inStock: params.get('stock') === 'in',
    minPrice: price('min'),
    maxPrice: price('max'),
    attributes: params.getAll('with').flatMap((text) => {
      const colon = text.indexOf(':');
      return colon > 0 ? [{ name: text.slice(0, colon), value: text.slice(colon + 1) }] : [];
    }),
    sort: Object.hasOwn(SORTS, sort) ? (sort as ProductSort) : 'NEWEST',
  };
}

/** @param params what else is in the address, and stays */
export function writeFilter(params: URLSearchParams, filter: BrowseFilter): URLSearchParams {
  const next = new URLSearchParams(params);
  const put = (name: string, value: string | null) => (value ? next.set(name, value) : next.delete(name));
  put('stock', filter.inStock ? 'in' : null);
  put('min', filter.minPrice === null ? null : String(filter.minPrice));
  put('max', filter.maxPrice === null ? null : String(filter.maxPrice));
  put('sort', filter.sort === 'NEWEST' ? null : filter.sort);
  next.delete('with');
  for (const { name, value } of filter.attributes) next.append('with', `${name}:${value}`);
  return next;
}

export const linkWith = (attribute: AttributeFilter, path = '/search'): string =>
  `${path}?${new URLSearchParams({ with: `${attribute.name}:${attribute.value}` })}`;

/** As the graph takes it: nothing that does not narrow, so that equal lists are the same in the cache. */
export const productFilter = (filter: BrowseFilter, categoryId?: string): ProductFilter => ({
  ...(categoryId ? { categoryId } : {}),
  ...(filter.inStock ? { inStock: true } : {}),
  ...(filter.minPrice === null ? {} : { minPrice: filter.minPrice }),
  ...(filter.maxPrice === null ? {} : { maxPrice: filter.maxPrice }),
  ...(filter.attributes.length > 0 ? { attributes: filter.attributes } : {}),
});

import { useQuery } from '@apollo/client/react';
import {
  BrowseProductsDocument,
  type ProductFilter,
  type ProductSort,
  SearchProductsDocument,
} from '../graphql/graphql.ts';

/** Products as a list that grows: found by words, or all that the filter lets through. @param query empty for the latter */
export function useProducts(query: string, filter: ProductFilter, sort: ProductSort) {
  const search = useQuery(SearchProductsDocument, { skip: !query, variables: { query, filter } });
  const browse = useQuery(BrowseProductsDocument, { skip: Boolean(query), variables: { filter, sort } });
  const { loading, error, refetch, fetchMore, networkStatus } = query ? search : browse;
  const list = query ? search.data?.search : browse.data?.products;
  const { hasNextPage = false, endCursor } = list?.pageInfo ?? {};
  return {
    products: list?.edges.map(({ node }) => node),
    total: list?.totalCount ?? 0,
    loading,
    error,
    again: () => void refetch(),
    more: hasNextPage ? () => void fetchMore({ variables: { after: endCursor } }).catch(() => {}) : null,
    loadingMore: networkStatus === 3,
  };
}

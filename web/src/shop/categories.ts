import { useQuery } from '@apollo/client/react';
import { CategoriesDocument, type CategoriesQuery } from '../graphql/graphql.ts';

export type Category = CategoriesQuery['categories'][number];

/** The shelves of the shop and how they lie within each other. They change seldom: asked for once. */
export function useCategories() {
  const { data } = useQuery(CategoriesDocument, { fetchPolicy: 'cache-first' });
  const all = data?.categories ?? [];
  return {
    top: all.filter(({ parent }) => !parent),
    within: (id: string) => all.filter(({ parent }) => parent?.id === id),
    find: (id: string | undefined) => all.find((category) => category.id === id),
  };
}

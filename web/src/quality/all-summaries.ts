import { client } from '../client/apollo.ts';
import { AllSummariesDocument, type AllSummariesQuery, type SummaryFilter } from '../graphql/graphql.ts';

export type Summarized = AllSummariesQuery['summaries']['edges'][number]['node'];

/** All summaries of a filter, newest first. @param most how many at most */
export async function allSummaries(filter: SummaryFilter, most: number, signal?: AbortSignal): Promise<Summarized[]> {
  const all: Summarized[] = [];
  for (let after: string | null = null; all.length < most; ) {
    const page: { data?: AllSummariesQuery | undefined } = await client.query({
      query: AllSummariesDocument,
      variables: { filter, after },
      fetchPolicy: 'no-cache',
    });
    signal?.throwIfAborted();
    if (!page.data) break;
    all.push(...page.data.summaries.edges.map(({ node }) => node));
    after = page.data.summaries.pageInfo.endCursor;
    if (!page.data.summaries.pageInfo.hasNextPage) break;
  }
  return all.slice(0, most);
}

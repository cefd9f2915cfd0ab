import { type QueryPlan, serializeQueryPlan } from '@apollo/query-planner';
import { hasScope, type Identity } from '../../subgraphs/kit/auth.ts';

/** The header, with the value 1, by which an admin asks to see what a query costs and how it is planned. */
export const EXPLAIN_HEADER = 'x-hashira-explain';

/** Whether to explain: others than admins are answered as if they had not asked. */
export const wantsExplanation = (header: string | string[] | undefined, identity: Identity | null): boolean =>
  header === '1' && hasScope(identity, 'admin');

/** The extension of the response. @param cost as estimated before the run */
export function explain({ plan, cost }: { plan: QueryPlan; cost: number }): {
  explain: { cost: number; plan: string };
} {
  return { explain: { cost, plan: serializeQueryPlan(plan) } };
}

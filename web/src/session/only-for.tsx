import type { ReactNode } from 'react';
import { Empty } from '../ui/empty.tsx';
import { useStore } from '../ui/store.ts';
import { may, session } from './session.ts';

/** Spares others what the graph would refuse them. */
export function OnlyFor({ scopes, children }: { scopes: readonly string[]; children: ReactNode }) {
  const who = useStore(session);
  if (may(who, ...scopes)) return children;
  return (
    <Empty title={who.token ? 'This is not for you' : 'Please sign in'}>
      <p>This page is for {scopes.join(' and ')}. Sign in as one at the top of the page.</p>
    </Empty>
  );
}

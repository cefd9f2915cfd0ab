import { useEffect } from 'react';

/** Names the page in tabs, history and screen readers. */
export function useTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · HashiraMart` : 'HashiraMart';
  }, [title]);
}

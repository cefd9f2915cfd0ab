import { useEffect, useRef } from 'react';

/** Loads the next page when one comes near the end of a list; by hand, too. @param more null at the end of the list */
export function LoadMore({ more, loading }: { more: (() => void) | null; loading: boolean }) {
  const button = useRef<HTMLButtonElement>(null);
  const latest = useRef({ more, loading });
  latest.current = { more, loading };
  useEffect(() => {
    if (!button.current) return;
    const near = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && !latest.current.loading) latest.current.more?.();
      },
      { rootMargin: '600px' },
    );
    near.observe(button.current);
    return () => near.disconnect();
    // Watched anew after each page: what is still in sight says nothing by itself.
  });
  if (!more) return null;
  return (
    <button ref={button} type="button" className="button" onClick={more} disabled={loading}>
      {loading ? 'Loading …' : 'Show more'}
    </button>
  );
}

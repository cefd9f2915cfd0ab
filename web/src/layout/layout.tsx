import { Suspense, useEffect, useRef } from 'react';
import { Outlet, useLocation, useNavigationType } from 'react-router';
import { AssistantPanel } from '../assistant/assistant-panel.tsx';
import { Loading } from '../ui/loading.tsx';
import { ConnectionNotice } from './connection-notice.tsx';
import { Header } from './header.tsx';
import styles from './layout.module.css';

/** What all pages have around them. */
export function Layout() {
  const main = useRef<HTMLElement>(null);
  useScrollToTop();
  return (
    <div className={styles.layout}>
      {/* A link to "#main" would be a place in the history, and lose the page's own address. */}
      <button type="button" className={styles.skip} onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Header />
      <ConnectionNotice />
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      <footer className={styles.footer}>
        <p>HashiraMart is an open-source commerce graph. This shop is its demonstration: nothing is sold or sent.</p>
      </footer>
      <AssistantPanel />
    </div>
  );
}

/** A new page begins at its top; the way back leads to where one was, which browsers do by themselves. */
function useScrollToTop(): void {
  const { pathname } = useLocation();
  const how = useNavigationType();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same page stays where it is
  useEffect(() => {
    if (how !== 'POP') scrollTo(0, 0);
  }, [pathname]);
}

import { connection } from '../client/connection.ts';
import { session } from '../session/session.ts';
import { useStore } from '../ui/store.ts';
import styles from './layout.module.css';

/** Says what is not as usual. Pages go on by themselves when it is over. */
export function ConnectionNotice() {
  const lost = useStore(connection) === 'lost';
  const { ended } = useStore(session);
  return (
    <div role="status" className={styles.notices}>
      {lost && <p>The shop cannot be reached at the moment. What you typed is kept; this page goes on by itself.</p>}
      {ended && <p>Your session has ended. Please sign in again; what you typed is still here.</p>}
    </div>
  );
}

import { CombinedGraphQLErrors } from '@apollo/client';
import styles from './states.module.css';

/** What went wrong, in the graph's own words, which are meant for people. */
export const messageOf = (error: unknown): string =>
  CombinedGraphQLErrors.is(error)
    ? (error.errors[0]?.message ?? 'Something went wrong.')
    : 'The shop cannot be reached now. Please try again.';

/** @param again asks once more */
export function Failure({ error, again }: { error: unknown; again?: () => void }) {
  return (
    <div className={styles.failure} role="alert">
      <p>{messageOf(error)}</p>
      {again && (
        <button type="button" className="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

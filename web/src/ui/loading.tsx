import styles from './states.module.css';

/** Stands where something will be; said to those who do not see it. */
export function Loading({ what = 'Loading' }: { what?: string }) {
  return (
    <p className={styles.loading} role="status">
      {what} …
    </p>
  );
}

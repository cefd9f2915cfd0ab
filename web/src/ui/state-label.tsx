import styles from './table.module.css';

/** A state in a word, with a dot that says at a glance whether it is good. */
export function StateLabel({ tone, children }: { tone: 'good' | 'bad' | 'busy' | 'still'; children: string }) {
  return (
    <span className={styles.state} data-tone={tone}>
      {children}
    </span>
  );
}

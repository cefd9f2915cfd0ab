import { useMutation } from '@apollo/client/react';
import { useState } from 'react';
import { ModelVersionsDocument, type ModelVersionsQuery, SplitTrafficDocument } from '../graphql/graphql.ts';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { messageOf } from '../ui/failure.tsx';
import styles from './models.module.css';

/** Lets a version answer some of the users beside the one in production, or ends that. */
export function SplitTraffic({ version: { name, version, share } }: { version: ModelVersionsQuery['models'][number] }) {
  const [percent, setPercent] = useState(10);
  const [split, { error, loading }] = useMutation(SplitTrafficDocument, { refetchQueries: [ModelVersionsDocument] });
  const isSplit = Boolean(share);
  const to = (wanted: number) => void split({ variables: { name, version, share: wanted } }).catch(() => {});
  return (
    <>
      <ConfirmButton
        label={isSplit ? 'End the split' : 'Split traffic'}
        question={
          isSplit ? `Let version ${version} answer nobody?` : `Let version ${version} answer some of the users?`
        }
        isDisabled={loading}
        confirm={() => to(isSplit ? 0 : percent / 100)}
      >
        {isSplit ? (
          'The version in production answers all users again.'
        ) : (
          <label>
            Percent of the users, always the same ones:{' '}
            <input
              type="number"
              min={1}
              max={100}
              value={percent}
              onChange={({ target }) => setPercent(Math.min(100, Math.max(1, Number(target.value))))}
            />
          </label>
        )}
      </ConfirmButton>
      {error && (
        <p role="alert" className={styles.problem}>
          {messageOf(error)}
        </p>
      )}
    </>
  );
}

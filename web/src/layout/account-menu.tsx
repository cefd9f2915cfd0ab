import { useQuery } from '@apollo/client/react';
import { useEffect, useState } from 'react';
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from 'react-aria-components';
import { MeDocument } from '../graphql/graphql.ts';
import { session } from '../session/session.ts';
import { type SignInMethod, signInAs, signInAtIssuer, signInMethod, signOut } from '../session/sign-in.ts';
import { Icon } from '../ui/icon.tsx';
import { useStore } from '../ui/store.ts';
import styles from './account-menu.module.css';
import headerStyles from './header.module.css';

const ROLES: Record<string, string> = {
  customer: 'Customer, with a history',
  support: 'Support',
  analyst: 'Analyst',
  admin: 'Admin',
};

/** Who is signed in, and signing in and out: as one of the roles of a development instance, or at the issuer. */
export function AccountMenu() {
  const { token, scopes } = useStore(session);
  const { data } = useQuery(MeDocument, { skip: !token });
  const [method, setMethod] = useState<SignInMethod | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [opened, setOpened] = useState(false);
  useEffect(() => {
    if (!opened) return;
    setFailed(null);
    signInMethod().then(setMethod, (error: Error) => setFailed(error.message));
  }, [opened]);

  const act = async (key: string) => {
    if (key === 'out') return signOut();
    if (key === 'issuer' && method?.kind === 'oidc') return signInAtIssuer(method);
    await signInAs(key);
  };
  const name = token ? (data?.me?.name ?? scopes[0] ?? 'Account') : 'Sign in';
  return (
    <MenuTrigger isOpen={opened} onOpenChange={setOpened}>
      <Button className={headerStyles.tool ?? ''} aria-label={token ? `Account of ${name}` : 'Sign in'}>
        <Icon name="person" />
        <span className={headerStyles.word}>{name}</span>
      </Button>
      <Popover className={styles.popover ?? ''} placement="bottom end">
        <Menu
          className={styles.menu ?? ''}
          aria-label="Account"
          onAction={(key) => void act(String(key)).catch((error: Error) => setFailed(error.message))}
          renderEmptyState={() => <p className={styles.note}>{failed ?? noteOf(method)}</p>}
        >
          {token && (
            <MenuItem id="out" className={styles.item ?? ''}>
              Sign out
            </MenuItem>
          )}
          {method?.kind === 'oidc' && !token && (
            <MenuItem id="issuer" className={styles.item ?? ''}>
              Sign in
            </MenuItem>
          )}
          {method?.kind === 'development' && (
            <MenuSection>
              <Header className={styles.head ?? ''}>{token ? 'Change to' : 'Sign in as'}</Header>
              {method.roles.map((role) => (
                <MenuItem key={role} id={role} className={styles.item ?? ''}>
                  {ROLES[role] ?? role}
                </MenuItem>
              ))}
            </MenuSection>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

const noteOf = (method: SignInMethod | null): string =>
  method === null ? 'One moment …' : 'Signing in is not set up here.';

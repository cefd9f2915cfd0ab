import { signedIn, signedOut } from './session.ts';

/** How the gateway lets people sign in. */
export type SignInMethod =
  | { kind: 'development'; roles: string[] }
  | { kind: 'oidc'; issuer: string; clientId: string; scope: string }
  | { kind: 'none' };

/** What a reload may know: as whom, never by which token. */
const REMEMBERED = 'signed-in-as';
const ISSUER = 'issuer';

export const signInMethod = (): Promise<SignInMethod> => asked('/sign-in');

/** Signs in as one of the development roles. */
export async function signInAs(role: string): Promise<void> {
  const { token } = await asked<{ token: string }>('/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ role }),
  });
  sessionStorage.setItem(REMEMBERED, role);
  signedIn(token);
}

/** Leaves the page for the issuer's. */
export async function signInAtIssuer(method: Extract<SignInMethod, { kind: 'oidc' }>): Promise<void> {
  const { redirectToIssuer } = await import('./oidc.ts');
  sessionStorage.setItem(REMEMBERED, ISSUER);
  await redirectToIssuer(method);
}

export function signOut(): void {
  sessionStorage.removeItem(REMEMBERED);
  signedOut();
}

/** Signs in again after a reload, and at the return from the issuer, before anything is asked for. */
export async function restoreSession(): Promise<void> {
  const remembered = sessionStorage.getItem(REMEMBERED);
  if (!remembered) return;
  try {
    if (remembered !== ISSUER) return await signInAs(remembered);
    const method = await signInMethod();
    if (method.kind !== 'oidc') return signOut();
    const { returnFromIssuer, redirectToIssuer } = await import('./oidc.ts');
    if (location.pathname !== '/signed-in') return await redirectToIssuer(method, { silently: true });
    const token = await returnFromIssuer(method);
    if (token) signedIn(token);
    else signOut();
  } catch {
    signOut();
  }
}

async function asked<Answer>(path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error('Signing in did not work. Please try again.');
  return (await response.json()) as Answer;
}

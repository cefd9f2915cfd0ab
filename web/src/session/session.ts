import { Store } from '../ui/store.ts';

/** Who uses the app. The token is kept here, in memory, and nowhere else. */
export interface Session {
  token: string | null;
  /** What the token allows; the gateway decides, this only tells what is worth showing. */
  scopes: readonly string[];
  /** Tells whose it is apart from others'; null for a visitor. */
  subject: string | null;
  /** Whether it ended although nobody signed out. */
  ended: boolean;
}

const VISITOR: Session = { token: null, scopes: [], subject: null, ended: false };

export const session = new Store<Session>(VISITOR);

/** @param token an access token as the gateway takes it: a JWT */
export function signedIn(token: string): void {
  const { sub, scope } = claims(token);
  session.set({ token, subject: sub ?? null, scopes: (scope ?? '').split(' ').filter(Boolean), ended: false });
}

export const signedOut = (): void => session.set(VISITOR);

export const sessionEnded = (): void => session.set({ ...VISITOR, ended: true });

export const may = ({ scopes }: Session, ...anyOf: string[]): boolean => anyOf.some((scope) => scopes.includes(scope));

function claims(token: string): { sub?: string; scope?: string } {
  const [, payload = ''] = token.split('.');
  const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

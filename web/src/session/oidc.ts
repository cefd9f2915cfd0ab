import * as oauth from 'oauth4webapi';
import type { SignInMethod } from './sign-in.ts';

type Oidc = Extract<SignInMethod, { kind: 'oidc' }>;

/** What the way back must match, and where it leads. Worth nothing to anybody without the code, which is used once. */
const ATTEMPT = 'sign-in-attempt';

interface Attempt {
  verifier: string;
  state: string;
  nonce: string;
  path: string;
}

/**
 * Sends the browser to the issuer: authorization code flow with PKCE, as a public client.
 * @param options.silently whether the issuer shall not ask the person anything
 */
export async function redirectToIssuer(method: Oidc, { silently = false } = {}): Promise<void> {
  const server = await discover(method);
  const attempt: Attempt = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    path: location.pathname + location.search,
  };
  sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  const url = new URL(server.authorization_endpoint as string);
  url.search = new URLSearchParams({
    ...Object.fromEntries(url.searchParams),
    client_id: method.clientId,
    redirect_uri: redirectUri(),
    response_type: 'code',
    scope: method.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(attempt.verifier),
    code_challenge_method: 'S256',
    state: attempt.state,
    nonce: attempt.nonce,
    ...(silently ? { prompt: 'none' } : {}),
  }).toString();
  location.assign(url);
  // Nothing more is to happen on a page that is being left.
  await new Promise(() => {});
}

/** Exchanges the code for an access token and puts the address back. @returns null when the issuer let nobody in */
export async function returnFromIssuer(method: Oidc): Promise<string | null> {
  const attempt = JSON.parse(sessionStorage.getItem(ATTEMPT) ?? 'null') as Attempt | null;
  sessionStorage.removeItem(ATTEMPT);
  const came = new URL(location.href);
  history.replaceState(null, '', attempt?.path ?? '/');
  if (!attempt || came.searchParams.has('error')) return null;
  const server = await discover(method);
  const client: oauth.Client = { client_id: method.clientId };
  const parameters = oauth.validateAuthResponse(server, client, came, attempt.state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    redirectUri(),
    attempt.verifier,
    insecure(method),
  );
  const options = { expectedNonce: attempt.nonce };
  return (await oauth.processAuthorizationCodeResponse(server, client, response, options)).access_token;
}

const redirectUri = () => `${location.origin}/signed-in`;

async function discover(method: Oidc): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(method.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure(method)));
}

/** Without TLS only an issuer on this machine is talked to. */
const insecure = ({ issuer }: Oidc) => ({
  [oauth.allowInsecureRequests]: ['localhost', '127.0.0.1', '[::1]'].includes(new URL(issuer).hostname),
});

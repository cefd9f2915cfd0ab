import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

interface Grant {
  challenge: string;
  redirectUri: string;
  nonce: string | null;
}

/**
 * An OpenID Connect issuer on loopback: discovery, authorization code flow with PKCE for one public client, keys. It knows one
 * person, who is signed in there once `signedIn` says so; else it shows a form to press.
 */
export class Issuer {
  signedIn = false;
  /** What the token endpoint has refused. */
  readonly refused: string[] = [];
  private readonly grants = new Map<string, Grant>();

  private constructor(
    private readonly server: Server,
    private readonly keys: { sign(claims: Record<string, unknown>): Promise<string>; jwks: object },
    readonly clientId: string,
    private readonly person: { subject: string; scope: string },
  ) {}

  static async start(clientId: string, person: { subject: string; scope: string }): Promise<Issuer> {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'one' }] };
    const server = createServer((request, response) => void issuer.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sign = (claims: Record<string, unknown>) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(issuer.url)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey);
    const issuer = new Issuer(server, { sign, jwks }, clientId, person);
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    // Public clients in browsers ask from other origins.
    response.setHeader('access-control-allow-origin', '*');
    if (pathname === '/.well-known/openid-configuration') return json(response, 200, this.metadata());
    if (pathname === '/keys') return json(response, 200, this.keys.jwks);
    if (pathname === '/authorize') return this.authorize(searchParams, response);
    if (pathname === '/token') return this.token(new URLSearchParams(await text(request)), response);
    response.writeHead(404).end();
  }

  private metadata() {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      code_challenge_methods_supported: ['S256'],
    };
  }

  private authorize(asked: URLSearchParams, response: ServerResponse): void {
    const back = new URL(asked.get('redirect_uri') ?? '');
    back.searchParams.set('state', asked.get('state') ?? '');
    if (!this.signedIn && asked.get('prompt') === 'none') {
      back.searchParams.set('error', 'login_required');
    } else if (!this.signedIn && !asked.has('pressed')) {
      const fields = [...asked]
        .map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
        .join('');
      response.setHeader('content-type', 'text/html');
      response.end(`<form action="/authorize">${fields}<button name="pressed" value="1">It is me</button></form>`);
      return;
    } else {
      this.signedIn = true;
      const code = randomUUID();
      this.grants.set(code, {
        challenge: asked.get('code_challenge_method') === 'S256' ? (asked.get('code_challenge') ?? '') : '',
        redirectUri: asked.get('redirect_uri') ?? '',
        nonce: asked.get('nonce'),
      });
      back.searchParams.set('code', code);
    }
    response.writeHead(302, { location: back.href }).end();
  }

  private async token(asked: URLSearchParams, response: ServerResponse): Promise<void> {
    const code = asked.get('code') ?? '';
    const grant = this.grants.get(code);
    this.grants.delete(code);
    const challenge = createHash('sha256')
      .update(asked.get('code_verifier') ?? '')
      .digest('base64url');
    const good =
      grant?.challenge === challenge &&
      asked.get('redirect_uri') === grant.redirectUri &&
      asked.get('client_id') === this.clientId;
    if (!good) {
      this.refused.push(code);
      return json(response, 400, { error: 'invalid_grant' });
    }
    const { subject: sub, scope } = this.person;
    json(response, 200, {
      token_type: 'Bearer',
      expires_in: 3600,
      access_token: await this.keys.sign({ sub, scope }),
      id_token: await this.keys.sign({ sub, aud: this.clientId, ...(grant.nonce ? { nonce: grant.nonce } : {}) }),
    });
  }
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function text(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

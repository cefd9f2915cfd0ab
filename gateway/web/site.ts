import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import type { Page } from '../pages.ts';

/** Finds what is at a path of the web app: a file of it, or its page for one of its own routes. */
export type Site = (pathname: string) => Page | undefined;

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
/** Best first. The build leaves them beside the files that they make smaller. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;
const YEAR = 'public, max-age=31536000, immutable';

/**
 * Reads the built web app into memory: it is small, and nothing has to be looked up when it is asked for.
 * @param folder of the build, which has a routes.json; a route ends with `/*` when all below it is its own, too
 * @param issuer where people sign in, when the page itself talks to it
 * @returns null when nothing is built there
 */
export async function readSite(folder: string, issuer?: string): Promise<Site | null> {
  const manifest = path.join(folder, 'routes.json');
  if (!existsSync(manifest)) return null;
  const routes: string[] = JSON.parse(await readFile(manifest, 'utf8'));
  const files = new Map<string, Page>();
  for (const name of await readdir(folder, { recursive: true })) {
    const type = TYPES[path.extname(name)];
    if (type) files.set(`/${name.split(path.sep).join('/')}`, await filePage(path.join(folder, name), type, issuer));
  }
  const page = files.get('/index.html');
  const isOwn = (pathname: string) =>
    routes.some((route) => (route.endsWith('/*') ? pathname.startsWith(route.slice(0, -1)) : pathname === route));
  return (pathname) => files.get(pathname) ?? (isOwn(pathname) ? page : undefined);
}

async function filePage(file: string, type: string, issuer: string | undefined): Promise<Page> {
  const plain = await readFile(file);
  const variants: [encoding: string, body: Buffer][] = [];
  for (const [encoding, ending] of ENCODINGS) {
    if (existsSync(file + ending)) variants.push([encoding, await readFile(file + ending)]);
  }
  const etag = `"${createHash('sha256').update(plain).digest('base64url')}"`;
  const headers: Record<string, string> = {
    'content-type': type,
    // Their names hold their hash.
    'cache-control': file.includes(`${path.sep}assets${path.sep}`) ? YEAR : 'no-cache',
    vary: 'accept-encoding',
    etag,
    ...(type.startsWith('text/html') ? pageHeaders(issuer) : {}),
  };
  return (request: IncomingMessage, response: ServerResponse) => {
    for (const name in headers) response.setHeader(name, headers[name] as string);
    if (request.headers['if-none-match'] === etag) {
      response.statusCode = 304;
      response.end();
      return;
    }
    const accepted = String(request.headers['accept-encoding'] ?? '');
    const [encoding, body] = variants.find(([name]) => new RegExp(`\\b${name}\\b`).test(accepted)) ?? [null, plain];
    if (encoding) response.setHeader('content-encoding', encoding);
    response.setHeader('content-length', body.length);
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}

/** The one style that React Aria puts into the page itself: how what can be pressed meets touch. */
const PRESSABLE_STYLE = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='";

/** Scripts and styles come from here only, and no text can become either. Pictures are wherever the catalogue says. */
const pageHeaders = (issuer: string | undefined) => ({
  'content-security-policy':
    `default-src 'none'; script-src 'self'; style-src 'self' ${PRESSABLE_STYLE}; font-src 'self'; ` +
    `img-src 'self' data: http: https:; connect-src 'self'${issuer ? ` ${new URL(issuer).origin}` : ''}; ` +
    "require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
});

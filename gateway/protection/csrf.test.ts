import { describe, expect, it } from 'vitest';
import { Cors } from './cors.ts';
import { refuseCrossSite } from './csrf.ts';

const HOST = '127.0.0.1:4000';
const cors = new Cors('https://shop.example');
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0' };

function passes(method: string, headers: Record<string, string>, of = cors): boolean {
  try {
    refuseCrossSite(method, { host: HOST, ...headers }, of);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'CSRF_BLOCKED' });
    return false;
  }
}

describe('refuseCrossSite', () => {
  const hostile = { ...BROWSER, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

  it.each(['application/json', 'application/json; charset=utf-8', 'application/graphql+json', 'APPLICATION/JSON'])(
    'lets the content type %s pass, which needs a preflight',
    (type) => {
      expect(passes('POST', { ...hostile, 'content-type': type })).toBe(true);
    },
  );

  it.each([
    'text/plain',
    'text/plain; application/json',
    ' Text/Plain ;charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ])('refuses a POST of the content type %j from another site', (type) => {
    expect(passes('POST', { ...hostile, 'content-type': type })).toBe(false);
    expect(passes('POST', { ...BROWSER, origin: 'null', 'content-type': type })).toBe(false);
  });

  it.each(['apollo-require-preflight', 'x-apollo-operation-name', 'graphql-require-preflight'])(
    'lets the header %s pass, unless it is empty',
    (name) => {
      expect(passes('GET', { ...hostile, [name]: 'x' })).toBe(true);
      expect(passes('GET', { ...hostile, [name]: '' })).toBe(false);
    },
  );

  it('lets our own pages and a person pass', () => {
    expect(passes('GET', { ...BROWSER, 'sec-fetch-site': 'same-origin' })).toBe(true);
    expect(passes('GET', { ...BROWSER, 'sec-fetch-site': 'none' })).toBe(true);
    expect(passes('GET', { ...BROWSER, origin: `http://${HOST}` })).toBe(true);
    expect(passes('GET', { ...BROWSER, referer: `http://${HOST}/graphiql` })).toBe(true);
  });

  it('refuses a GET that another site caused', () => {
    expect(passes('GET', { ...BROWSER, 'sec-fetch-site': 'cross-site' })).toBe(false);
    expect(passes('GET', { ...BROWSER, 'sec-fetch-site': 'same-site' })).toBe(false);
    expect(passes('GET', { origin: 'https://evil.example' })).toBe(false);
    expect(passes('GET', { referer: `https://evil.example/${HOST}` })).toBe(false);
    expect(passes('GET', { origin: 'null', referer: `http://${HOST}/` })).toBe(false);
    expect(passes('GET', BROWSER)).toBe(false);
  });

  it('lets an origin pass that may read answers, by script only', () => {
    const shop = { ...BROWSER, 'sec-fetch-site': 'cross-site' };
    expect(passes('GET', { ...shop, origin: 'https://shop.example' })).toBe(true);
    expect(passes('GET', { ...shop, referer: 'https://shop.example/' })).toBe(false);
    expect(passes('GET', hostile, new Cors('*'))).toBe(true);
  });

  it('lets programs pass', () => {
    expect(passes('GET', {})).toBe(true);
    expect(passes('GET', { 'user-agent': 'curl/8.9' })).toBe(true);
    expect(passes('POST', { 'user-agent': 'node' })).toBe(true);
  });

  it('says what to do', () => {
    const refuse = (method: string) => () => refuseCrossSite(method, hostile, cors);
    expect(refuse('GET')).toThrow('Send it with the header "apollo-require-preflight: true".');
    expect(refuse('POST')).toThrow('Send it as application/json.');
  });
});

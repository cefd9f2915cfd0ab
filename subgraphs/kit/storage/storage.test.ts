import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../config.ts';
import type { HashiraError } from '../errors.ts';
import { parseAddress } from './address.ts';
import { storageContract } from './contract.ts';
import { HdfsStorage } from './hdfs.ts';
import { LocalStorage } from './local.ts';
import { openLake, openStorage } from './open.ts';

const root = await mkdtemp(path.join(tmpdir(), 'hashira-storage-'));
afterAll(() => rm(root, { recursive: true, force: true }));

storageContract('a folder', () => openStorage(path.join(root, 'contract'), loadConfig({})));

describe('an address', () => {
  it.each([
    ['/data/lake', { scheme: 'file', folder: '/data/lake' }],
    ['lake', { scheme: 'file', folder: path.resolve('lake') }],
    ['file:///data/my%20lake/', { scheme: 'file', folder: '/data/my lake' }],
    ['hdfs://namenode:8020/shop/lake/', { scheme: 'hdfs', authority: 'namenode:8020', folder: '/shop/lake' }],
    ['hdfs:///lake', { scheme: 'hdfs', authority: '', folder: '/lake' }],
    ['hdfs://nameservice1', { scheme: 'hdfs', authority: 'nameservice1', folder: '/' }],
    ['s3://shop-lake', { scheme: 's3', bucket: 'shop-lake', prefix: '' }],
    ['s3://shop.lake/a//b%20c/', { scheme: 's3', bucket: 'shop.lake', prefix: 'a/b%20c' }],
  ])('%s is understood', (uri, address) => {
    expect(parseAddress(uri)).toEqual(address);
  });

  it.each([
    '',
    'ftp://host/lake',
    's3a://bucket',
    's3://',
    's3://key:secret@bucket',
    'hdfs://user:pw@host/x',
    's3://b1c/../x',
  ])('%j is refused', (uri) => {
    expect(parseAddress(uri)).toBeNull();
    expect(() => openStorage(uri, loadConfig({}))).toThrow(/must be a folder/);
  });
});

describe('a folder as a storage', () => {
  it('says where it is, as Spark takes it', () => {
    expect(new LocalStorage('/data/my lake').uri('raw/date=1')).toBe('file:///data/my%20lake/raw/date=1');
  });

  it('follows links and passes over those that lead nowhere', async () => {
    await mkdir(path.join(root, 'links'));
    await symlink(root, path.join(root, 'links', 'folder'));
    await symlink('nowhere', path.join(root, 'links', 'broken'));
    expect(await new LocalStorage(root).list('links')).toEqual([{ name: 'folder', folder: true, size: 0 }]);
  });

  it('leaves nothing behind of what could not be written, and says no path', async () => {
    const storage = openLake({ ...loadConfig({}), LAKE_URI: path.join(root, 'full') });
    await storage.write('taken/below', 'x');
    const error: HashiraError = await storage.write('taken', 'x').catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'LAKE_UNREADABLE', message: 'The data lake cannot be written.' });
    expect(String(error.cause)).toContain(path.join(root, 'full', 'taken'));
    expect(await readdir(path.join(root, 'full'))).toEqual(['taken']);
  });
});

describe('HDFS as a storage', () => {
  let server: http.Server | undefined;
  afterEach(() => server?.close());

  /** A NameNode and DataNode in one that answers as told, request by request. */
  async function hdfs(...answers: http.RequestListener[]) {
    const asked: string[] = [];
    server = http.createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      request.resume();
      request.on('end', () => (answers.shift() ?? silent)(request, response));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const limits = { pausesMs: [1, 1], silenceMs: 200 };
    const storage = new HdfsStorage({
      uri: 'hdfs://nn/lake',
      root: '/lake',
      url,
      user: 'spark',
      name: 'The data lake',
      limits,
    });
    return { storage, asked, url };
  }
  const silent: http.RequestListener = () => {};
  const gone: http.RequestListener = (request) => request.socket.destroy();
  const json =
    (body: object, status = 200): http.RequestListener =>
    (_, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const exception = (name: string, message = '', status = 403) =>
    json({ RemoteException: { exception: name, message } }, status);
  const file = json({ FileStatus: { type: 'FILE' } });
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      ({ code }) => code,
    );

  it('reads again when the connection broke, as the user it is told', async () => {
    const { storage, asked } = await hdfs(gone, gone, file);
    expect(await storage.exists('a b')).toBe(true);
    expect(asked).toEqual(Array(3).fill('GET /webhdfs/v1/lake/a%20b?op=GETFILESTATUS&user.name=spark'));
  });

  it('asks for a file anew when its transfer broke', async () => {
    const { storage, asked, url } = await hdfs(
      (_, response) => json({ Location: `${url}/first` })(_, response),
      (_, response) => response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy()),
      (_, response) => json({ Location: `${url}/second` })(_, response),
      (_, response) => response.end('whole'),
    );
    expect(Buffer.from(await storage.read('x', { start: 5, end: 10 })).toString()).toBe('whole');
    expect(asked.map((request) => request.split('?')[0])).toEqual([
      ...['GET /webhdfs/v1/lake/x', 'GET /first', 'GET /webhdfs/v1/lake/x', 'GET /second'],
    ]);
    expect(asked[0]).toContain('op=OPEN&noredirect=true&offset=5&length=5');
  });

  it('does not write twice, and takes the draft away', async () => {
    const { storage, asked, url } = await hdfs(
      (_, response) => json({ Location: `${url}/data` })(_, response),
      gone,
      json({ boolean: true }),
    );
    expect(await codeOf(storage.write('raw/x', 'content'))).toBe('STORAGE_UNAVAILABLE');
    const [create, put, remove] = asked as [string, string, string];
    expect(create).toMatch(/^PUT \/webhdfs\/v1\/lake\/raw\/\.x\.[\w-]+\.tmp\?op=CREATE&noredirect=true/);
    expect(put).toBe('PUT /data');
    expect(remove.split('?')[0]).toBe(`DELETE ${create.slice(4).split('?')[0]}`);
    expect(asked).toHaveLength(3);
  });

  it('waits no longer than it is told for an answer', async () => {
    const { storage, asked } = await hdfs();
    const error: HashiraError = await storage.exists('x').catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: 'The data lake cannot be reached at the moment.',
    });
    expect(String(error.cause)).toMatch(/hdfs:\/\/nn\/lake\/x.*no answer in 200 ms/);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['SafeModeException', '', 'STORAGE_UNAVAILABLE'],
    ['StandbyException', '', 'STORAGE_UNAVAILABLE'],
    ['IOException', 'Failed to find datanode, suggest to check cluster health.', 'STORAGE_UNAVAILABLE'],
    [
      'IOException',
      'x could only be written to 0 of the 1 minReplication nodes. There are 1 datanode(s)',
      'STORAGE_FULL',
    ],
    ['DSQuotaExceededException', '', 'STORAGE_FULL'],
    ['AccessControlException', 'Permission denied: user=x', 'LAKE_UNREADABLE'],
  ])('tells an outage from what stays: %s %s', async (name, message, code) => {
    const refuse = exception(name, message);
    const { storage } = await hdfs(...Array(3).fill(refuse));
    expect(await codeOf(storage.remove('x'))).toBe(code);
  });

  it('does not take another server for an empty lake', async () => {
    const { storage } = await hdfs((_, response) => response.writeHead(404).end('<html>'), json([]));
    expect(await codeOf(storage.list('raw'))).toBe('LAKE_UNREADABLE');
    expect(await codeOf(storage.list('raw'))).toBe('LAKE_UNREADABLE');
  });
});

describe('S3 as a storage', () => {
  it('is out of reach without telling where it would be', { timeout: 30_000 }, async () => {
    process.env.AWS_ACCESS_KEY_ID ??= 'key';
    process.env.AWS_SECRET_ACCESS_KEY ??= 'secret';
    const storage = openStorage('s3://shop/lake', loadConfig({ S3_ENDPOINT: 'http://127.0.0.1:9' }), 'The store');
    const error: HashiraError = await storage.read('x').catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: 'The store cannot be reached at the moment.',
    });
    expect(String(error.cause)).toContain('s3://shop/lake/x');
  });
});

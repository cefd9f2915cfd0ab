import { mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchSupergraph } from './reload.ts';

let dir: string;
let file: string;
let texts: string[];
let errors: string[];
let stop: () => void;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-reload-'));
  file = path.join(dir, 'supergraph.graphql');
  await writeFile(file, 'first');
  texts = [];
  errors = [];
});

afterEach(async () => {
  stop();
  await rm(dir, { recursive: true });
});

/** Takes what is there; refuses texts that begin with `bad`. */
function start(options: { pollMs?: number; settleMs?: number; takesMs?: number } = {}): void {
  const log = pino({}, { write: (line: string) => errors.push(JSON.parse(line).err.message) });
  const take = async (text: string) => {
    await sleep(options.takesMs ?? 0);
    texts.push(text);
    if (text.startsWith('bad')) throw new Error(text);
  };
  stop = watchSupergraph(file, take, { log, current: 'first', settleMs: 20, pollMs: 600_000, ...options }).stop;
}

async function replace(text: string): Promise<void> {
  await writeFile(`${file}.next`, text);
  await rename(`${file}.next`, file);
}

const latest = (text: string) => vi.waitFor(() => expect(texts.at(-1)).toBe(text), { timeout: 5_000 });

describe('a watched supergraph', () => {
  it('that is swapped thirty times quickly ends at the last one, in order', async () => {
    start({ takesMs: 15 });
    for (let i = 1; i <= 30; i++) {
      await replace(`swap ${i}`);
      await sleep(i % 3 === 0 ? 60 : 5);
    }
    await latest('swap 30');
    const numbers = texts.map((text) => Number(text.split(' ')[1]));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  it('that is refused is logged once, and the next one is taken', async () => {
    start();
    await replace('bad one');
    await latest('bad one');
    await sleep(150);
    expect([texts, errors]).toEqual([['bad one'], ['bad one']]);
    await replace('good one');
    await latest('good one');
    expect(errors).toEqual(['bad one']);
  });

  it('is not taken while it is being written', async () => {
    start({ settleMs: 80 });
    const handle = await open(file, 'w');
    for (const part of ['half', ' and', ' half']) {
      await handle.write(part);
      await sleep(30);
    }
    await handle.close();
    await latest('half and half');
    expect(texts).toEqual(['half and half']);
  });

  it('is noticed in a folder where something else is written all the time', async () => {
    start({ settleMs: 50 });
    const noise = setInterval(() => void writeFile(path.join(dir, 'noise'), String(Math.random())), 10);
    await replace('second');
    await latest('second').finally(() => clearInterval(noise));
  });

  it('may go away and come back', async () => {
    start();
    await rm(file);
    await sleep(100);
    await writeFile(file, 'first');
    await sleep(100);
    expect(texts).toEqual([]);
    await rm(file);
    await sleep(100);
    await writeFile(file, 'second');
    await latest('second');
    expect([texts, errors]).toEqual([['second'], []]);
  });

  it('is not taken again when only its time changes', async () => {
    start();
    await replace('first');
    await sleep(150);
    expect(texts).toEqual([]);
  });

  it('is noticed behind the link that Kubernetes switches', async () => {
    const version = async (name: string, text: string) => {
      await mkdir(path.join(dir, name));
      await writeFile(path.join(dir, name, 'supergraph.graphql'), text);
      await symlink(name, path.join(dir, '..data_tmp'));
      await rename(path.join(dir, '..data_tmp'), path.join(dir, '..data'));
    };
    await version('v1', 'first');
    await rm(file);
    await symlink(path.join('..data', 'supergraph.graphql'), file);
    start();
    await version('v2', 'second');
    await latest('second');
    await version('v3', 'third');
    await latest('third');
  });

  it('is noticed without a word from the system, by looking', async () => {
    const elsewhere = await mkdtemp(path.join(tmpdir(), 'hashira-reload-link-'));
    await writeFile(path.join(elsewhere, 'real'), 'first');
    await rm(file);
    await symlink(path.join(elsewhere, 'real'), file);
    start({ pollMs: 50 });
    await sleep(100);
    await writeFile(path.join(elsewhere, 'real'), 'second');
    await latest('second');
    await rm(elsewhere, { recursive: true });
  });

  it('that changed between being read and being watched is noticed', async () => {
    await writeFile(file, 'while starting');
    start({ pollMs: 50 });
    await latest('while starting');
  });

  it('is left alone after the stop', async () => {
    start();
    await replace('second');
    stop();
    await sleep(150);
    expect(texts).toEqual([]);
  });
});

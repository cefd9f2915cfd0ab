import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The Chromium of this machine: CHROMIUM, or one on the path; null when there is none. */
export const chromiumPath: string | null =
  [process.env.CHROMIUM ?? '', ...folders().flatMap((folder) => NAMES.map((name) => path.join(folder, name)))].find(
    (file) => file !== '' && isExecutable(file),
  ) ?? null;

export const launchBrowser = (): Promise<Browser> =>
  // Tests may run as root, and in containers, where Chromium's own sandbox does not start.
  chromium.launch({ executablePath: chromiumPath ?? '', args: ['--no-sandbox'] });

function folders(): string[] {
  return (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What is compared with, and what it needs; installed by the benchmark alone. */
const DEPENDENCIES = {
  '@apollo/gateway': '2.14.4',
  '@apollo/server': '5.5.1',
  '@graphql-hive/gateway': '2.15.1',
  '@graphql-hive/router-runtime': '1.4.23',
  graphql: '16.15.0',
};

/** Installs the peers into `folder` unless they are there. @returns what was installed, `name version` each */
export async function installPeers(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  for (const script of ['stock.mjs', 'hive.config.mjs']) {
    copyFileSync(path.join(import.meta.dirname, 'peers', script), path.join(folder, script));
  }
  const wanted = JSON.stringify({ name: 'peers', private: true, type: 'module', dependencies: DEPENDENCIES }, null, 2);
  const stamp = path.join(folder, 'node_modules', '.installed');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    console.log(`Installing the gateways to compare with into ${path.relative(process.cwd(), folder)} …`);
    writeFileSync(path.join(folder, 'package.json'), wanted);
    await npmInstall(folder);
    writeFileSync(stamp, wanted);
  }
  return Object.keys(DEPENDENCIES).map((name) => {
    const { version } = JSON.parse(readFileSync(path.join(folder, 'node_modules', name, 'package.json'), 'utf8'));
    return `${name} ${version}`;
  });
}

function npmInstall(cwd: string): Promise<void> {
  // npm hands its own state to scripts; a second npm must not take it for its settings.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^npm_(package|lifecycle|command)/.test(key)),
  );
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const child = spawn('npm', args, { cwd, env, stdio: 'inherit', shell: process.platform === 'win32' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error('The peers could not be installed.'))));
  });
}

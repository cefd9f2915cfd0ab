import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { python, root } from './stack.ts';

/**
 * All checks and tests, quick ones first: `npm test`. With words as arguments only the steps of those names run, for
 * example `npm test unit`; with `--with-services` all, and those of the services profile. The last line counts over all runners.
 */
const reports = mkdtempSync(path.join(tmpdir(), 'hashira-test-'));
const vitest = (project: string) => [
  process.execPath,
  path.join(root, 'node_modules/vitest/vitest.mjs'),
  ...['run', '--project', project, '--reporter=default', '--reporter=json'],
  `--outputFile.json=${path.join(reports, `${project}.json`)}`,
];

/** A step counts as one test, or as many as its report says. */
const steps: { name: string; command: string[]; count?: () => { passed: number; failed: number } }[] = [
  { name: 'types', command: [path.join(root, 'node_modules/.bin/tsc'), '-p', '.'] },
  { name: 'types-web', command: [path.join(root, 'node_modules/.bin/tsc'), '-p', 'web'] },
  { name: 'lint', command: [path.join(root, 'node_modules/.bin/biome'), 'ci', '--error-on-warnings', '.'] },
  { name: 'lint-python', command: [python(), '-m', 'ruff', 'check', '.'] },
  { name: 'format-python', command: [python(), '-m', 'ruff', 'format', '--check', '.'] },
  { name: 'unit', command: vitest('unit'), count: () => countVitest('unit') },
  {
    name: 'python',
    command: [python(), '-m', 'pytest', '--color=yes', `--junitxml=${path.join(reports, 'python.xml')}`],
    count: () => countJunit('python.xml'),
  },
  { name: 'e2e', command: vitest('e2e'), count: () => countVitest('e2e') },
];

function countVitest(project: string) {
  const report = JSON.parse(readFileSync(path.join(reports, `${project}.json`), 'utf8'));
  return { passed: report.numPassedTests as number, failed: report.numFailedTests as number };
}

function countJunit(file: string) {
  const xml = readFileSync(path.join(reports, file), 'utf8');
  const attribute = (name: string) => Number(new RegExp(`<testsuite [^>]*${name}="(\\d+)"`).exec(xml)?.[1] ?? 0);
  const failed = attribute('failures') + attribute('errors');
  return { passed: attribute('tests') - failed - attribute('skipped'), failed };
}

function run([command, ...args]: string[]): Promise<boolean> {
  const telemetryOff = { MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true', DVC_NO_ANALYTICS: '1' };
  const child = spawn(command as string, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...telemetryOff },
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** What needs Maven and Go as well, and only `npm run test:services` runs. */
const services = { name: 'services', command: vitest('services'), count: () => countVitest('services') };

const [only, withServices] = [process.argv.slice(2), '--with-services'];
const all = only.length === 0 || only.includes(withServices);
const chosen = [
  ...steps.filter(({ name }) => all || only.includes(name)),
  ...(only.includes(services.name) || only.includes(withServices) ? [services] : []),
];
let passed = 0;
let failed = 0;
const times: string[] = [];
for (const step of chosen) {
  console.log(`\n── ${step.name}`);
  const since = Date.now();
  const good = await run(step.command);
  const counted = (() => {
    try {
      return step.count?.();
    } catch {
      return undefined; // the runner broke before it could write its report
    }
  })() ?? { passed: Number(good), failed: Number(!good) };
  passed += counted.passed;
  // A runner that fails although no test did (a crash, a leak, an unhandled error) has failed.
  failed += !good && counted.failed === 0 ? 1 : counted.failed;
  times.push(`${step.name} ${((Date.now() - since) / 1000).toFixed(1)} s`);
}
rmSync(reports, { recursive: true, force: true });
console.log(`\n${times.join(', ')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

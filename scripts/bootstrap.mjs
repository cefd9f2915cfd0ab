#!/usr/bin/env node
// The first step of every command: needs nothing but Node 20, installs what is missing and goes on with the pinned Node.
//   node scripts/bootstrap.mjs COMMAND [ARG…]      COMMAND: a file of scripts/, without its ending
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const inRoot = (...parts) => path.join(root, ...parts);
const windows = process.platform === 'win32';

class SetupError extends Error {}

// --- prerequisites

function requireNode() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new SetupError(`Node.js 20 or newer is needed; this is ${process.versions.node}.`);
  }
}

/** The newest usable Python: HASHIRA_PYTHON, or one on the path. */
function findPython() {
  const candidates = [process.env.HASHIRA_PYTHON, 'python3', 'python3.13', 'python3.12', 'python3.11', 'python'];
  const probe = 'import sys; print(sys.version_info[0] * 100 + sys.version_info[1], sys.executable)';
  for (const candidate of candidates.filter(Boolean)) {
    const { status, stdout } = spawnSync(candidate, ['-c', probe], { encoding: 'utf8' });
    const [version, executable] = status === 0 ? stdout.trim().split(/ (.*)/) : [0];
    if (Number(version) >= 311 && Number(version) <= 313) return executable;
  }
  throw new SetupError('Python 3.11, 3.12 or 3.13 is needed and was not found. Set HASHIRA_PYTHON to one.');
}

function requireJava() {
  const home = process.env.JAVA_HOME;
  const java = home ? path.join(home, 'bin', windows ? 'java.exe' : 'java') : 'java';
  const { stderr = '' } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const major = Number(/version "(?:1\.)?(\d+)/.exec(stderr ?? '')?.[1] ?? 0);
  if (major < 17) {
    throw new SetupError(
      `Java 17 or newer is needed for Spark; ${major ? `this is Java ${major}` : 'no java was found'}. ` +
        'Install one (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME.',
    );
  }
}

// --- installing

const seconds = (since) => (Date.now() - since) / 1000;
const stages = [];

/** Whether what `stamp` records was made from these files and this setting; if so there is nothing to install. */
function upToDate(stamp, files, setting = '') {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(inRoot(file)));
  hash.update(setting);
  const digest = hash.digest('hex');
  return {
    done: existsSync(stamp) && readFileSync(stamp, 'utf8') === digest,
    finish: () => writeFileSync(stamp, digest),
  };
}

/** Runs a command quietly; what it said is shown only when it fails. */
function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, shell: windows });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-8000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => reject(new SetupError(`${command} cannot be run: ${error.message}`)));
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new SetupError(`${path.basename(command)} failed:\n${output.trim()}`)),
    );
  });
}

async function stage(name, work) {
  const since = Date.now();
  const beat = setInterval(() => console.log(`  ${name} … ${Math.round(seconds(since))} s`), 15_000);
  try {
    console.log(`  ${name} …`);
    await work();
    stages.push({ name, seconds: seconds(since) });
    console.log(`  ${name}: ${seconds(since).toFixed(1)} s`);
  } finally {
    clearInterval(beat);
  }
}

async function installNode() {
  const stamp = upToDate(inRoot('node_modules', '.hashira-lock'), ['package-lock.json']);
  if (stamp.done) return;
  await stage('npm packages', async () => {
    // Its install script would fetch GPU parts; the CPU library is in the package itself.
    const env = { ONNXRUNTIME_NODE_INSTALL: 'skip', ...withoutNpmScriptState() };
    await run('npm', ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'], env);
    stamp.finish();
  });
}

/** npm hands its own state to scripts; a second npm must not take it for its settings. */
function withoutNpmScriptState() {
  const names = Object.keys(process.env).filter((name) => /^npm_(package|lifecycle|command)/.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

async function installPython() {
  const venv = inRoot('.venv');
  // Once asked for, what trains the summarizer stays.
  const training = path.join(venv, '.hashira-training');
  const locks = ['ml/requirements.lock'];
  if (command === 'setup-summarizer' || existsSync(training)) locks.push('ml/training.lock');
  const stamp = upToDate(path.join(venv, '.hashira-lock'), [...locks, 'ml/bare.lock']);
  if (stamp.done) return;
  const python = findPython();
  await stage('Python packages', async () => {
    const uv = await findUv(python);
    rmSync(path.join(venv, '.hashira-lock'), { force: true });
    if (!existsSync(path.join(venv, 'pyvenv.cfg'))) await run(uv, ['venv', '--quiet', '--python', python, venv]);
    const pip = (...args) => run(uv, ['pip', ...args, '--quiet', '--require-hashes'], { VIRTUAL_ENV: venv });
    await pip('sync', ...locks);
    // After the sync, which removes what its lock does not name.
    await pip('install', '--no-deps', '-r', 'ml/bare.lock');
    if (locks.length > 1) writeFileSync(training, '');
    stamp.finish();
  });
}

/** The sentence embedder, unless the operator brings one: built of weights, which takes seconds, and no framework. */
async function buildEmbedder() {
  if (process.env.EMBEDDER_DIR) return;
  const out = inRoot('.embedder');
  const weights = process.env.EMBEDDER_WEIGHTS ?? '';
  const stamp = upToDate(path.join(out, '.hashira-lock'), ['ml/embedder/build.py', 'ml/bare.lock'], weights);
  if (stamp.done) return;
  await stage('Embedding model', async () => {
    const python = inRoot('.venv', windows ? 'Scripts' : 'bin', 'python');
    await run(python, ['ml/embedder/build.py', '--out', out, ...(weights ? ['--weights', weights] : [])]);
    stamp.finish();
  });
}

/** The web app, unless the operator brings one. */
async function buildWeb() {
  if (process.env.WEB_DIR) return;
  const all = readdirSync(inRoot('web'), { recursive: true });
  const files = all.filter((name) => path.extname(name)).map((name) => path.join('web', name));
  const stamp = upToDate(inRoot('.web', '.hashira-lock'), [...files.sort(), 'package-lock.json']);
  if (stamp.done) return;
  await stage('Web app', async () => {
    const node = inRoot('node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
    const vite = inRoot('node_modules', 'vite', 'bin', 'vite.js');
    // Whatever the one who calls runs as, a test for example: people get the build for production.
    await run(node, [vite, 'build', 'web', '--logLevel', 'error'], { NODE_ENV: 'production' });
    stamp.finish();
  });
}

/** uv, from the path or installed beside the project by pip. */
async function findUv(python) {
  if (spawnSync('uv', ['--version']).status === 0) return 'uv';
  const target = inRoot('.uv');
  const uv = path.join(target, 'bin', windows ? 'uv.exe' : 'uv');
  if (!existsSync(uv)) {
    mkdirSync(target, { recursive: true });
    const pip = ['install', '--quiet', '--require-hashes', '--no-deps', '--target', target, '-r', 'scripts/uv.lock'];
    const viaPip = await run(python, ['-m', 'pip', ...pip]).catch((error) => error);
    if (viaPip) {
      const missing = /No module named pip/.test(viaPip.message);
      throw missing
        ? new SetupError('Python has no pip. Install it (Debian: apt-get install python3-pip) or uv.')
        : viaPip;
    }
  }
  return uv;
}

// --- going on

/** Hands over to a script under the pinned Node, passing on signals, and ends as it ends. */
function handOver(command, args) {
  const node = inRoot('node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
  const bin = [inRoot('node_modules', '.bin'), path.join(root, '.venv', windows ? 'Scripts' : 'bin')];
  const env = { ...process.env, PATH: [...bin, process.env.PATH].join(path.delimiter) };
  env.HASHIRA_SETUP = JSON.stringify(stages);
  // Long-lived Python installs must be able to keep their compiled modules.
  delete env.PYTHONDONTWRITEBYTECODE;
  const child = spawn(node, ['--import', 'tsx', inRoot('scripts', `${command}.ts`), ...args], {
    stdio: 'inherit',
    env,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends SIGINT to the whole group itself; the child must not get it twice.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
  }
  // npm killed without a word leaves us behind: then nobody is there to stop us but ourselves.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event)
    setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 1000).unref();
  child.once('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

const [command, ...args] = process.argv.slice(2);
if (!command || !existsSync(inRoot('scripts', `${command}.ts`))) {
  console.error('Usage: node scripts/bootstrap.mjs COMMAND [ARG…]');
  process.exit(2);
}
try {
  requireNode();
  requireJava();
  // Each writes what it does as it goes; the slower one decides.
  await Promise.all([installNode().then(buildWeb), installPython().then(buildEmbedder)]);
  handOver(command, args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exit(1);
}

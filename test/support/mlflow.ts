import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/postgres.ts';
import { python, root } from '../../scripts/stack.ts';

const { PYTHONDONTWRITEBYTECODE: _, ...env } = process.env;

/** A real MLflow server in a folder of its own, that the real register stage fills. */
export class MlflowServer {
  private constructor(
    readonly url: string,
    readonly dir: string,
    readonly child: ChildProcess,
  ) {}

  static async start(): Promise<MlflowServer> {
    const port = await freePort();
    const dir = await mkdtemp(path.join(tmpdir(), 'hashira-test-mlflow-'));
    const script = path.join(root, 'ml/common/mlflow_server.py');
    const child = spawn(python(), [script, '--data', path.join(dir, 'mlflow'), '--port', `${port}`], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    process.once('exit', () => child.kill('SIGKILL'));
    const server = new MlflowServer(`http://127.0.0.1:${port}`, dir, child);
    const isUp = () =>
      fetch(`${server.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isUp())) {
      if (child.exitCode !== null) throw new Error('the MLflow server ended');
      await sleep(100);
    }
    return server;
  }

  /**
   * Registers a bundle of the recommender, measured with this nDCG@10, as the training job does.
   * @param files of the bundle, beside those of the folder `from`
   * @param reference what later data are compared with, as common/drift.py keeps it
   */
  async register(ndcg: number, files: Record<string, string>, from?: string, reference?: unknown): Promise<void> {
    const work = path.join(this.dir, 'work');
    await rm(work, { recursive: true, force: true });
    const bundle = path.join(work, 'out/recommender/bundle');
    await mkdir(bundle, { recursive: true });
    if (from) await cp(from, bundle, { recursive: true });
    const scores = {
      ...{ ours: { 'ndcg@10': ndcg }, popularity: { 'ndcg@10': 0.1 }, itemKnn: { 'ndcg@10': 0.2 }, ease: null },
    };
    const evaluation = {
      dataVersion: 'aaaa',
      synthetic: true,
      models: {
        recommender: { scores, serving: { parity: 0, latencyMs: 1, rows: 200 } },
        forecaster: { skipped: 'no sales' },
      },
    };
    const written: Record<string, string> = {
      'params.yaml': 'seed: 1\nrecommender: {}\nforecaster: {}\n',
      'data/manifest.json': JSON.stringify({ dataVersion: 'aaaa', counts: {} }),
      'out/evaluation.json': JSON.stringify(evaluation),
      'out/drift.json': JSON.stringify(reference ? { recommender: reference } : {}),
      'out/forecaster/skipped.json': JSON.stringify({ reason: 'no sales' }),
      ...Object.fromEntries(
        Object.entries(files).map(([name, content]) => [`out/recommender/bundle/${name}`, content]),
      ),
    };
    for (const [name, content] of Object.entries(written)) {
      await mkdir(path.join(work, path.dirname(name)), { recursive: true });
      await writeFile(path.join(work, name), content);
    }
    await promisify(execFile)(python(), ['-m', 'common.register'], {
      cwd: work,
      env: { ...env, PYTHONPATH: path.join(root, 'ml'), MLFLOW_TRACKING_URI: this.url, HASHIRA_COMMIT: 'c0ffee' },
    });
  }

  async stop(): Promise<void> {
    this.child.kill();
    if (this.child.exitCode === null) await once(this.child, 'exit');
    await rm(this.dir, { recursive: true, force: true });
  }
}

import { createHash } from 'node:crypto';
import path from 'node:path';
import { type LoadedModel, ProductionModel, type ProductionModelOptions } from './production-model.ts';
import type { ModelVersion, Registry, Split } from './registry.ts';

export interface SplitModelOptions<T extends LoadedModel>
  extends Pick<ProductionModelOptions<T>, 'name' | 'cacheDir' | 'load' | 'log' | 'pollMs'> {
  registry: Pick<Registry, 'productionVersion' | 'split' | 'download'>;
}

/**
 * The production version of a model and, while its traffic is split, a challenger beside it. Who is answered by which follows
 * from the split alone, so that all replicas agree.
 */
export class SplitModel<T extends LoadedModel> {
  readonly production: ProductionModel<T>;
  private readonly challenger: ProductionModel<T>;
  private split: Split | null = null;

  constructor({ registry, cacheDir, ...options }: SplitModelOptions<T>) {
    const productionVersion = async (name: string, signal?: AbortSignal): Promise<ModelVersion | null> => {
      this.split = await registry.split(name, signal);
      return this.split?.challenger ?? null;
    };
    const download: Registry['download'] = (...of) => registry.download(...of);
    this.production = new ProductionModel({ ...options, registry, cacheDir });
    this.challenger = new ProductionModel({
      ...options,
      registry: { productionVersion, download },
      cacheDir: path.join(cacheDir, CHALLENGERS),
      keep: false,
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.production.start(), this.challenger.start()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.production.stop(), this.challenger.stop()]);
  }

  /** The model that answers a subject, a user's id for example: always the same one while the split lasts and its share grows. */
  answering(subject: string): ProductionModel<T> {
    return this.split && this.isReady(this.split) && isChallenged(this.split, subject)
      ? this.challenger
      : this.production;
  }

  /** Whether both versions are the split's: each comes a moment after the registry has said so. */
  private isReady({ challenger, against }: Split): boolean {
    return (
      this.challenger.current()?.version.runId === challenger.runId &&
      this.production.current()?.version.version === against
    );
  }
}

const CHALLENGERS = 'challenger';

/** Each pair of versions divides the subjects anew, so that no one is always among those who are tried things on. */
export function isChallenged({ challenger, share, against }: Split, subject: string): boolean {
  const digest = createHash('sha256').update(`${challenger.name} ${challenger.version} ${against} ${subject}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48 < share;
}

import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../kit/config.ts';
import { ConfigError } from '../kit/config.ts';
import type { Logger } from '../kit/log.ts';
import { modelCache, ProductionModel } from '../kit/production-model.ts';
import type { Registry } from '../kit/registry.ts';
import type { Author, TranscriptTurn } from './model.ts';
import type { Written } from './summarizer.ts';
import { Writer } from './writer.ts';

export const MODEL = 'summarizer';
/** A T5 that ml/summarizer trained from scratch, for those who have no other. */
export const SHIPPED = fileURLToPath(new URL('./shipped', import.meta.url));
/** What wrote a summary where none of a model's held. */
export const EXTRACTIVE: Author = { name: 'extractive', version: 0 };

type Services = { config: Config; registry: Registry; log: Logger };

/**
 * The model that writes summaries: the one that SUMMARY_MODEL names; else the registry's production version and, until there is one,
 * the one that is shipped.
 */
export class SummaryModels {
  private constructor(
    private readonly fixed: { writer: Writer; author: Author },
    private readonly production: ProductionModel<Writer> | null,
  ) {}

  /** @throws ConfigError when SUMMARY_MODEL names nothing that is here */
  static async start({ config, registry, log }: Services): Promise<SummaryModels> {
    const writer = (dir: string) => new Writer(dir, config.SUMMARY_QUEUE, log);
    const { SUMMARY_MODEL: named } = config;
    if (named) {
      const author = { name: path.basename(named), version: 0 };
      return new SummaryModels({ writer: writer(namedModel(named, config)), author }, null);
    }
    const production = new ProductionModel({
      name: MODEL,
      registry,
      cacheDir: modelCache(config),
      load: async (dir) => {
        const loaded = writer(dir);
        await loaded.load();
        return loaded;
      },
      log,
    });
    await production.start();
    return new SummaryModels({ writer: writer(SHIPPED), author: { name: MODEL, version: 0 } }, production);
  }

  /** @throws HashiraError TOO_BUSY, SUMMARY_MODEL_UNAVAILABLE; the signal's reason */
  async write(turns: readonly TranscriptTurn[], signal?: AbortSignal): Promise<Written & { author: Author }> {
    const signed = async (writer: Writer, author: Author) => {
      const written = await writer.write(turns, signal);
      return { ...written, author: written.by === 'model' ? author : EXTRACTIVE };
    };
    if (!this.production?.current()) return signed(this.fixed.writer, this.fixed.author);
    return this.production.use((writer, { version }) => signed(writer, { name: MODEL, version }));
  }

  /** Asks the registry now, for who does not stay. Never rejects. */
  async refresh(): Promise<void> {
    await this.production?.refresh();
  }

  async stop(): Promise<void> {
    await Promise.all([this.fixed.writer.dispose(), this.production?.stop()]);
  }
}

/** Where `npm run fetch:summarizer` puts a model. */
export const hubFolder = (name: string, { HASHIRA_DATA }: Pick<Config, 'HASHIRA_DATA'>): string =>
  path.join(HASHIRA_DATA, 'hub', name.replaceAll(/[\\/]+/g, '--'));

/** Where a model by its name is: a folder, or one of the hub that `npm run fetch:summarizer` has brought. @throws ConfigError */
export function namedModel(name: string, config: Pick<Config, 'HASHIRA_DATA'>): string {
  const folders = [name, hubFolder(name, config)];
  const found = folders.find((folder) => existsSync(path.join(folder, 'encoder_model.onnx')));
  if (found) return path.resolve(found);
  throw new ConfigError(
    `There is no summary model in ${name}. A model of the hub is brought by: npm run fetch:summarizer -- ${name}`,
  );
}

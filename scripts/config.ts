import { z } from 'zod';
import { ConfigError, loadConfig, settings } from '../subgraphs/kit/config.ts';

/** Prints every setting with its default and meaning, marking what the environment sets. Values of secrets stay hidden. */
const SECRET = /SECRET|KEY|DATABASE_URL|PASSWORD/;
for (const [name, schema] of Object.entries(settings)) {
  const { default: fallback } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const set = process.env[name];
  console.log(`# ${schema.description}`);
  console.log(set ? `${name}=${SECRET.test(name) ? '(set)' : set}\n` : `# ${name}=${fallback ?? ''}\n`);
}
try {
  loadConfig();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

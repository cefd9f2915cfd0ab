import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphQLAnswer } from '../../support/instance.ts';

type Answer = GraphQLAnswer<{ sword: { name: string; stars: number | null } }>;

/** Clients that ask one after the other, each time something else, until they are told to stop. */
export class Load {
  asked = 0;
  readonly answers: Answer[] = [];
  /** Requests without a GraphQL answer. */
  readonly lost: unknown[] = [];
  private on = true;
  private readonly clients: Promise<void>[];

  /** @param pauseMs between an answer and the next request of the same client */
  constructor(
    private readonly url: string,
    private readonly query: string,
    clients: number,
    private readonly pauseMs: number,
  ) {
    this.clients = Array.from({ length: clients }, () => this.client());
  }

  private async client(): Promise<void> {
    while (this.on) {
      const body = JSON.stringify({ query: this.query, variables: { id: String(this.asked++) } });
      try {
        const response = await fetch(`${this.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
          signal: AbortSignal.timeout(30_000),
        });
        this.answers.push((await response.json()) as Answer);
      } catch (error) {
        this.lost.push(error);
      }
      await sleep(this.pauseMs);
    }
  }

  async stop(): Promise<void> {
    this.on = false;
    await Promise.all(this.clients);
  }
}

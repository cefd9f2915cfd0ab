import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type DocumentNode, execute, type GraphQLSchema, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';

export const typeDefsOf = (sdl: string): DocumentNode => parse(`${LINK}\n${sdl}`);

/** A subgraph reached by URL, that counts what happens to the requests it gets. */
export class RemoteSubgraph {
  answered = 0;
  /** Requests whose asker left before the answer. */
  aborted = 0;
  /** Of the latest request. */
  headers: IncomingHttpHeaders = {};
  port = 0;
  private server: Server | undefined;
  private readonly schema: GraphQLSchema;

  constructor(
    readonly name: string,
    sdl: string,
    resolvers: object,
  ) {
    this.schema = buildSubgraphSchema({ typeDefs: typeDefsOf(sdl), resolvers: resolvers as never });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Listens; on the same port as before when it was stopped. */
  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      response.once('close', () => {
        if (response.writableFinished) this.answered++;
        else this.aborted++;
      });
      this.headers = request.headers;
      let body = '';
      for await (const chunk of request) body += chunk;
      const { query, variables } = JSON.parse(body);
      const result = await execute({ schema: this.schema, document: parse(query), variableValues: variables });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(result));
    });
    useServer({ schema: this.schema }, new WebSocketServer({ server }));
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** As if it were killed: connections break. */
  async stop(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

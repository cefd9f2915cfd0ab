import type { Logger } from '../../subgraphs/kit/log.ts';
import type { Result, SubscriptionPlan } from '../answer.types.ts';
import type { GatewayContext } from '../context.ts';
import type { SubgraphResult } from '../sources/source.ts';
import { detached } from './detached.ts';
import { failure } from './failure.ts';

/** One event of an upstream. Subscribers who asked the same get the same answer, made once. */
export class SharedEvent {
  readonly #result: SubgraphResult;
  readonly #context: GatewayContext;
  readonly #log: Logger;
  readonly #answers = new Map<unknown, Result | Promise<Result>>();

  /** @param context of the upstream; each event gets loaders of its own, so that none sees data of the event before */
  constructor(result: SubgraphResult, context: GatewayContext) {
    this.#result = result;
    this.#context = detached(context, context.signal);
    this.#log = context.log;
  }

  answer(plan: SubscriptionPlan): Result | Promise<Result> {
    const key = plan.answerKey ?? plan;
    let answer = this.#answers.get(key);
    if (!answer) {
      answer = this.#respond(plan);
      this.#answers.set(key, answer);
    }
    return answer;
  }

  /** The same event as somebody sees it who comes later: what belongs to it is looked up again. */
  again(): SharedEvent {
    return new SharedEvent(this.#result, this.#context);
  }

  #respond(plan: SubscriptionPlan): Result | Promise<Result> {
    try {
      const { data, errors } = this.#result;
      // What belongs to an event is put into it: where it has several answers, each is made of one of its own.
      const own = plan.shareable ? { data: structuredClone(data), errors } : this.#result;
      const answer = plan.respond(own, this.#context);
      return answer instanceof Promise ? answer.catch((error) => failure(error, this.#log)) : answer;
    } catch (error) {
      return failure(error, this.#log);
    }
  }
}

import { client } from '../client/apollo.ts';
import { newId } from '../client/new-id.ts';
import {
  AskAssistantDocument,
  type ChatMessageFragment,
  type CitedProductFragment,
  ConversationMessagesDocument,
  type Feedback,
  RateAnswerDocument,
} from '../graphql/graphql.ts';
import { session } from '../session/session.ts';
import { messageOf } from '../ui/failure.tsx';
import { Store } from '../ui/store.ts';

/** A question and what became of it. */
export interface Exchange {
  /** Also the graph's `clientMessageId`: asked again under the same one, it is answered once. */
  id: string;
  question: string;
  /** The answer as far as it has come. */
  text: string;
  citations: readonly CitedProductFragment[];
  /** Of the whole answer, to rate it by. */
  answerId: string | null;
  feedback: Feedback | null;
  notice: string | null;
  state: 'asking' | 'answering' | 'answered' | 'cancelled' | 'failed';
  problem: { message: string; retryable: boolean } | null;
}

interface AssistantState {
  isOpen: boolean;
  /** The product that questions are about, when one was named. */
  about: { id: string; name: string } | null;
  conversationId: string | null;
  exchanges: readonly Exchange[];
}

/** In the session storage of this tab, so that a reload loses nothing that was said or typed. */
const KEPT = { conversation: 'conversation', draft: 'draft' };
const NOTHING: AssistantState = { isOpen: false, about: null, conversationId: null, exchanges: [] };

/** The conversation with the shop's assistant. It outlives pages: answers go on while one looks around. */
class Assistant {
  readonly state = new Store<AssistantState>(NOTHING);
  #owner: string | null = null;
  #stop: (() => void) | null = null;

  /** @param about the product that is meant by "it" */
  open(about: AssistantState['about'] = null): void {
    this.#change({ isOpen: true, about });
    if (this.state.value.exchanges.length === 0) void this.#restore();
  }

  close(): void {
    this.#change({ isOpen: false });
  }

  /** A conversation is its owner's: another one begins, or goes on. @param owner null for a visitor */
  belongTo(owner: string | null): void {
    if (owner === this.#owner) return;
    this.#owner = owner;
    this.#stop?.();
    this.#change({ conversationId: null, exchanges: [] });
    if (this.state.value.isOpen) void this.#restore();
  }

  askAboutAnything(): void {
    this.#change({ about: null });
  }

  get draft(): string {
    return sessionStorage.getItem(KEPT.draft) ?? '';
  }

  set draft(text: string) {
    sessionStorage.setItem(KEPT.draft, text);
  }

  get isBusy(): boolean {
    return isUnderWay(this.state.value.exchanges.at(-1));
  }

  ask(question: string): void {
    if (this.isBusy) return;
    const id = newId();
    this.#change({ exchanges: [...this.state.value.exchanges, { ...begun(id, question) }] });
    this.#stream(id, question);
  }

  /** Asks what failed or was cancelled once more. */
  askAgain({ id, question }: Exchange): void {
    if (this.isBusy) return;
    this.#update(id, begun(id, question));
    this.#stream(id, question);
  }

  cancel(): void {
    const last = this.state.value.exchanges.at(-1);
    this.#stop?.();
    if (last && isUnderWay(last)) this.#update(last.id, { state: 'cancelled' });
  }

  async rate({ id, answerId, feedback: before }: Exchange, feedback: Feedback): Promise<void> {
    if (!answerId) return;
    this.#update(id, { feedback });
    await client
      .mutate({ mutation: RateAnswerDocument, variables: { id: answerId, feedback }, context: { safeToRepeat: true } })
      .catch(() => this.#update(id, { feedback: before }));
  }

  /** Forgets the conversation here and begins another one. */
  startOver(): void {
    this.#stop?.();
    sessionStorage.removeItem(KEPT.conversation);
    this.#change({ conversationId: null, exchanges: [] });
  }

  #stream(id: string, text: string): void {
    const { conversationId, about } = this.state.value;
    const input = { clientMessageId: id, text, conversationId, productId: about?.id };
    const fail = (message: string, retryable: boolean) =>
      this.#update(id, { state: 'failed', text: '', citations: [], problem: { message, retryable } });
    const stream = client
      .subscribe({ query: AskAssistantDocument, variables: { input }, fetchPolicy: 'no-cache', errorPolicy: 'none' })
      .subscribe({
        next: ({ data, error }) => {
          const event = data?.chat;
          if (!event) return fail(messageOf(error), true);
          if (event.__typename === 'ChatSources') {
            // Also when the stream was broken and begins anew.
            this.#remember(event.conversationId);
            this.#update(id, { state: 'answering', text: '', citations: event.citations });
          } else if (event.__typename === 'ChatDelta') {
            const so = this.state.value.exchanges.find((exchange) => exchange.id === id)?.text ?? '';
            this.#update(id, { state: 'answering', text: so + event.text });
          } else if (event.__typename === 'ChatCompleted') {
            this.#update(id, answered(event.message));
          } else {
            fail(event.problem, event.retryable);
          }
        },
        error: (error) => fail(messageOf(error), true),
        complete: () => {
          const exchange = this.state.value.exchanges.find((one) => one.id === id);
          if (isUnderWay(exchange)) fail('The answer ended too early.', true);
        },
      });
    this.#stop = () => stream.unsubscribe();
  }

  #remember(conversationId: string): void {
    sessionStorage.setItem(KEPT.conversation, JSON.stringify({ owner: this.#owner, conversationId }));
    this.#change({ conversationId });
  }

  /** Brings back the conversation of this tab after a reload, if it is of who is here now. */
  async #restore(): Promise<void> {
    const kept = JSON.parse(sessionStorage.getItem(KEPT.conversation) ?? 'null');
    if (!kept || kept.owner !== this.#owner) return;
    const { data } = await client.query({
      query: ConversationMessagesDocument,
      variables: { id: kept.conversationId },
    });
    if (!data?.conversation || this.state.value.exchanges.length > 0) return;
    const messages = data.conversation.messages.edges.map(({ node }) => node);
    const exchanges = messages.flatMap((message, place) => {
      const answer = messages[place + 1];
      if (message.role !== 'USER') return [];
      const exchange = begun(message.id, message.text);
      return [
        answer?.role === 'USER' || !answer
          ? { ...exchange, state: 'cancelled' as const }
          : { ...exchange, ...answered(answer) },
      ];
    });
    this.#change({ conversationId: data.conversation.id, exchanges });
  }

  #update(id: string, part: Partial<Exchange>): void {
    const exchanges = this.state.value.exchanges.map((one) => (one.id === id ? { ...one, ...part } : one));
    this.#change({ exchanges });
  }

  #change(part: Partial<AssistantState>): void {
    this.state.set({ ...this.state.value, ...part });
  }
}

const isUnderWay = (exchange: Exchange | undefined): boolean =>
  exchange?.state === 'asking' || exchange?.state === 'answering';

const begun = (id: string, question: string): Exchange => ({
  id,
  question,
  text: '',
  citations: [],
  answerId: null,
  feedback: null,
  notice: null,
  state: 'asking',
  problem: null,
});

const answered = ({ id, text, citations, feedback, notice }: ChatMessageFragment): Partial<Exchange> => ({
  answerId: id,
  text,
  citations,
  feedback,
  notice,
  state: 'answered',
});

export const assistant = new Assistant();

session.subscribe(() => {
  // Whose session ended by itself may come back.
  if (!session.value.ended) assistant.belongTo(session.value.subject);
});

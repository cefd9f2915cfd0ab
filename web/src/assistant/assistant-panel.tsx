import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'react-router';
import { Icon } from '../ui/icon.tsx';
import { useStore } from '../ui/store.ts';
import { assistant } from './assistant.ts';
import styles from './assistant-panel.module.css';
import { ExchangeView } from './exchange-view.tsx';

const LONGEST_QUESTION = 2_000;
const EXAMPLES = ['Which katana is the lightest?', 'What do I need to care for a blade?', 'A gift under ¥5,000'];

/** Stands beside the page, or before it where there is no room; the page goes on to work. */
export function AssistantPanel() {
  const { isOpen, exchanges } = useStore(assistant.state);
  const end = useRef<HTMLDivElement>(null);
  const question = useRef<HTMLTextAreaElement>(null);
  const opener = useRef<Element | null>(null);
  const { pathname } = useLocation();
  const last = exchanges.at(-1);

  useEffect(() => {
    if (!isOpen) return;
    opener.current = document.activeElement;
    question.current?.focus();
    return () => (opener.current as HTMLElement | null)?.focus?.();
  }, [isOpen]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the answer as it grows
  useEffect(() => {
    // In braces: newer browsers return a promise, which React would call as its clean-up.
    end.current?.scrollIntoView({ block: 'end' });
  }, [exchanges.length, last?.text, last?.state]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: where the panel hides the page, going somewhere means to see it
  useEffect(() => {
    if (matchMedia('(max-width: 56rem)').matches) assistant.close();
  }, [pathname]);

  if (!isOpen) return null;
  return (
    <aside
      className={styles.panel}
      aria-label="Assistant"
      onKeyDown={(event) => event.key === 'Escape' && assistant.close()}
    >
      <header className={styles.head}>
        <h2>Assistant</h2>
        {exchanges.length > 0 && (
          <button type="button" className="button" data-kind="quiet" onClick={() => assistant.startOver()}>
            New conversation
          </button>
        )}
        <button type="button" className={styles.close} aria-label="Close" onClick={() => assistant.close()}>
          <Icon name="close" />
        </button>
      </header>
      <div className={styles.talk}>
        {exchanges.length === 0 && (
          <div className={styles.begin}>
            <p>Ask about anything in the shop. Answers come from the catalogue and show where they stand.</p>
            <ul>
              {EXAMPLES.map((example) => (
                <li key={example}>
                  <button type="button" className="button" onClick={() => assistant.ask(example)}>
                    {example}
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )}
        {exchanges.map((exchange) => (
          <ExchangeView key={exchange.id} exchange={exchange} />
        ))}
        <div ref={end} />
      </div>
      <Question field={question} />
    </aside>
  );
}

function Question({ field }: { field: React.RefObject<HTMLTextAreaElement | null> }) {
  const [text, setText] = useState(assistant.draft);
  const { exchanges, about } = useStore(assistant.state);
  const busy = assistant.isBusy && exchanges.length > 0;
  const type = (typed: string) => {
    assistant.draft = typed;
    setText(typed);
  };
  const ask = () => {
    if (busy || !text.trim()) return;
    assistant.ask(text.trim());
    type('');
  };
  return (
    <form
      className={styles.question}
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      {about && (
        <p className={styles.about}>
          <span>About {about.name}</span>
          <button type="button" aria-label="Ask about anything" onClick={() => assistant.askAboutAnything()}>
            <Icon name="close" size={14} />
          </button>
        </p>
      )}
      <textarea
        ref={field}
        rows={2}
        value={text}
        maxLength={LONGEST_QUESTION}
        aria-label="Your question"
        placeholder="Ask about a product"
        onChange={(event) => type(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          ask();
        }}
      />
      {busy ? (
        <button type="button" className="button" onClick={() => assistant.cancel()}>
          <Icon name="stop" size={18} /> Stop
        </button>
      ) : (
        <button type="submit" className="button" data-kind="primary" disabled={!text.trim()}>
          <Icon name="send" size={18} /> Ask
        </button>
      )}
    </form>
  );
}

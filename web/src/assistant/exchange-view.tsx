import { Link } from 'react-router';
import type { CitedProductFragment } from '../graphql/graphql.ts';
import { ProductPicture } from '../shop/product-picture.tsx';
import { money } from '../ui/formats.ts';
import { Icon } from '../ui/icon.tsx';
import { assistant, type Exchange } from './assistant.ts';
import styles from './exchange-view.module.css';

export function ExchangeView({ exchange }: { exchange: Exchange }) {
  const { question, text, state, problem, notice, feedback } = exchange;
  return (
    <article className={styles.exchange}>
      <p className={styles.question}>
        <span className="visually-hidden">You: </span>
        {question}
      </p>
      <div className={styles.answer} aria-live="polite" aria-busy={state === 'asking' || state === 'answering'}>
        {text && <AnswerText text={text} citations={exchange.citations} />}
        {state === 'asking' && <p className="soft">Looking through the catalogue …</p>}
        {state === 'cancelled' && <p className="soft">Stopped.</p>}
        {problem && (
          <p className={styles.problem} role="alert">
            {problem.message}
          </p>
        )}
        {(state === 'cancelled' || problem?.retryable) && (
          <button type="button" className="link" onClick={() => assistant.askAgain(exchange)}>
            Ask again
          </button>
        )}
        {notice && <p className="soft">{notice}</p>}
      </div>
      {state === 'answered' && (
        <>
          <Sources citations={exchange.citations} />
          <div className={styles.rating}>
            {(['UP', 'DOWN'] as const).map((value) => (
              <button
                key={value}
                type="button"
                aria-label={value === 'UP' ? 'Helpful' : 'Not helpful'}
                aria-pressed={feedback === value}
                onClick={() => void assistant.rate(exchange, value)}
              >
                <Icon name={value === 'UP' ? 'up' : 'down'} size={18} />
              </button>
            ))}
            <span role="status" className="soft">
              {feedback && 'Thank you.'}
            </span>
          </div>
        </>
      )}
    </article>
  );
}

/** The answer as text, with its references as links to what they stand for. */
function AnswerText({ text, citations }: { text: string; citations: readonly CitedProductFragment[] }) {
  return (
    <div className={styles.text}>
      {text.split(/(\[\d+\])/).map((part, place) => {
        const number = Number(/^\[(\d+)\]$/.exec(part)?.[1]);
        const cited = citations.find((citation) => citation.number === number);
        // biome-ignore lint/suspicious/noArrayIndexKey: parts stay where they are
        if (!cited) return <span key={place}>{part}</span>;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts stay where they are
          <Link key={place} to={pathOf(cited)} className={styles.reference} title={cited.product.name}>
            {number}
          </Link>
        );
      })}
    </div>
  );
}

/** The products that an answer rests on, each once, with what is quoted. */
function Sources({ citations }: { citations: readonly CitedProductFragment[] }) {
  if (citations.length === 0) return null;
  const products = Map.groupBy(citations, ({ product }) => product.id);
  return (
    <ul className={styles.sources} aria-label="Products in this answer">
      {[...products.values()].map(([first, ...others]) =>
        first ? (
          <li key={first.product.id} className={styles.source}>
            <ProductPicture product={first.product} />
            <div>
              <Link to={pathOf(first)}>{first.product.name}</Link>
              <p className={styles.price}>{money(first.product.price)}</p>
              {[first, ...others].map(({ number, snippet }) => (
                <p key={`${number} ${snippet}`} className={styles.snippet}>
                  {number !== null && <b>{number}</b>} {snippet}
                </p>
              ))}
            </div>
          </li>
        ) : null,
      )}
    </ul>
  );
}

const pathOf = ({ product }: CitedProductFragment) => `/product/${encodeURIComponent(product.id)}`;

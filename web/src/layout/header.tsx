import { useEffect, useState } from 'react';
import { Link, NavLink, useLocation, useNavigate, useSearchParams } from 'react-router';
import { assistant } from '../assistant/assistant.ts';
import { may, session } from '../session/session.ts';
import { cart, piecesIn } from '../shop/cart.ts';
import { Icon } from '../ui/icon.tsx';
import { useStore } from '../ui/store.ts';
import { AccountMenu } from './account-menu.tsx';
import styles from './header.module.css';
import { switchTheme } from './theme.ts';

export function Header() {
  const who = useStore(session);
  const pieces = piecesIn(useStore(cart));
  return (
    <header className={styles.header}>
      <div className={styles.bar}>
        <Link to="/" className={styles.brand}>
          <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
            <circle cx="16" cy="16" r="16" className={styles.sun} />
            <path d="M6 10.5c6.5 1.6 13.5 1.6 20 0M9 15h14M11.5 11.3V25M20.5 11.3V25" className={styles.gate} />
          </svg>
          <span>HashiraMart</span>
        </Link>
        <Search />
        <div className={styles.tools}>
          <button type="button" className={styles.tool} onClick={switchTheme} aria-label="Light or dark">
            <Icon name="theme" />
          </button>
          <button type="button" className={styles.tool} onClick={() => assistant.open()} aria-label="Assistant">
            <Icon name="chat" />
            <span className={styles.word}>Assistant</span>
          </button>
          <Link to="/cart" className={styles.tool} aria-label={`Cart, ${pieces} ${pieces === 1 ? 'piece' : 'pieces'}`}>
            <Icon name="cart" />
            {pieces > 0 && <span className={styles.count}>{pieces}</span>}
          </Link>
          <AccountMenu />
        </div>
      </div>
      {may(who, 'support', 'analyst', 'admin') && (
        <nav className={styles.staff} aria-label="Shop's own">
          <NavLink to="/" end>
            Shop
          </NavLink>
          {may(who, 'admin', 'analyst') && <NavLink to="/console">Operations</NavLink>}
          {may(who, 'admin', 'support') && <NavLink to="/quality">Conversations</NavLink>}
        </nav>
      )}
    </header>
  );
}

function Search() {
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const asked = pathname === '/search' ? (params.get('q') ?? '') : '';
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  return (
    <search className={styles.search}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) navigate(`/search?q=${encodeURIComponent(text.trim())}`);
        }}
      >
        <input
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="Search the shop"
          aria-label="Search the shop"
          maxLength={500}
          enterKeyHint="search"
        />
        <button type="submit" aria-label="Search">
          <Icon name="search" />
        </button>
      </form>
    </search>
  );
}

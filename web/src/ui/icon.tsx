/** Line drawings on a grid of 24, for controls. */
const PATHS = {
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20',
  cart: 'M4 5h2l2 10h9l2-7H7M9.5 19.5h.01M16 19.5h.01',
  chat: 'M4 5.5h16v11H11l-4 3.5v-3.5H4z',
  person: 'M12 12a3.75 3.75 0 1 0 0-7.5 3.75 3.75 0 0 0 0 7.5ZM5 20c.6-3.6 3.3-5.5 7-5.5s6.4 1.9 7 5.5',
  close: 'M6 6l12 12M18 6 6 18',
  filter: 'M4 6h16M7 12h10M10 18h4',
  up: 'M8 11v9H4.5v-9zM8 11l3.5-7c1.6 0 2.5 1 2.3 2.6L13.5 10H18c1.3 0 2.1 1 1.8 2.2l-1.5 6c-.3 1.1-1.2 1.8-2.3 1.8H8',
  down: 'M16 13V4h3.5v9zM16 13l-3.5 7c-1.6 0-2.5-1-2.3-2.6l.3-3.4H6c-1.3 0-2.1-1-1.8-2.2l1.5-6C6 4.7 6.9 4 8 4h8',
  stop: 'M7 7h10v10H7z',
  send: 'M12 19V5M6 11l6-6 6 6',
  theme: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 4v16M12 8h5.5M12 12h8M12 16h5.5',
} as const;

export function Icon({ name, size = 20 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

import { NavLink } from 'react-router';
import styles from './subpages.module.css';

/** Names of the pages within a part of the app. */
export function Subpages({
  label,
  pages,
}: {
  label: string;
  pages: readonly (readonly [path: string, name: string])[];
}) {
  return (
    <nav aria-label={label} className={styles.subpages}>
      {pages.map(([path, name]) => (
        <NavLink key={path} to={path} end={path.split('/').length < 3}>
          {name}
        </NavLink>
      ))}
    </nav>
  );
}

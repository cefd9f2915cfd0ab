import { Link } from 'react-router';
import { useCategories } from './categories.ts';
import styles from './category-links.module.css';

/** The main shelves, in one row. */
export function CategoryLinks() {
  const { top } = useCategories();
  return (
    <nav aria-label="Categories" className={styles.row}>
      <ul>
        {top.map(({ id, name }) => (
          <li key={id}>
            <Link to={`/category/${encodeURIComponent(id)}`}>{name}</Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

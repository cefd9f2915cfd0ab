import { Link } from 'react-router';
import { Empty } from './empty.tsx';
import { useTitle } from './title.ts';

export function NotFound() {
  useTitle('Not found');
  return (
    <Empty title="There is nothing here">
      <p>
        <Link to="/">Back to the shop</Link>
      </p>
    </Empty>
  );
}

import { Route, Routes } from 'react-router';
import { OnlyFor } from '../session/only-for.tsx';
import { NotFound } from '../ui/not-found.tsx';
import { Subpages } from '../ui/subpages.tsx';
import { CountsPage } from './counts-page.tsx';
import { ReviewPage } from './review-page.tsx';

/** Whether what was written about conversations with customers is right, and what they were about. */
export default function Quality() {
  return (
    <OnlyFor scopes={['admin', 'support']}>
      <Subpages
        label="Conversations"
        pages={[
          ['/quality', 'Review'],
          ['/quality/counts', 'Counts'],
        ]}
      />
      <Routes>
        <Route index element={<ReviewPage />} />
        <Route path="summary/:id" element={<ReviewPage />} />
        <Route path="counts" element={<CountsPage />} />
        <Route path="*" element={<NotFound />} />
      </Routes>
    </OnlyFor>
  );
}

import { Navigate, Route, Routes } from 'react-router';
import { OnlyFor } from '../session/only-for.tsx';
import { may, session } from '../session/session.ts';
import { NotFound } from '../ui/not-found.tsx';
import { useStore } from '../ui/store.ts';
import { Subpages } from '../ui/subpages.tsx';
import { ForecastsPage } from './forecasts-page.tsx';
import { HealthPage } from './health-page.tsx';
import { JobPage } from './job-page.tsx';
import { JobsPage } from './jobs-page.tsx';
import { ModelsPage } from './models-page.tsx';

/** What the people see who run the shop's data and models. */
export default function Console() {
  const isAdmin = may(useStore(session), 'admin');
  const jobs = ['/console/jobs', 'Jobs'] as const;
  const others = [
    ['/console/models', 'Models'],
    ['/console/forecasts', 'Forecasts'],
    ['/console/health', 'Health'],
  ] as const;
  return (
    <OnlyFor scopes={['admin', 'analyst']}>
      <Subpages label="Operations" pages={isAdmin ? [jobs, ...others] : others} />
      <Routes>
        <Route index element={<Navigate to={isAdmin ? 'jobs' : 'models'} replace />} />
        <Route path="jobs" element={<JobsPage />} />
        <Route path="jobs/:id" element={<JobPage />} />
        <Route path="models" element={<ModelsPage />} />
        <Route path="forecasts" element={<ForecastsPage />} />
        <Route path="health" element={<HealthPage />} />
        <Route path="*" element={<NotFound />} />
      </Routes>
    </OnlyFor>
  );
}

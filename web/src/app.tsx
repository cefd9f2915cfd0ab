import { lazy, Suspense } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { Layout } from './layout/layout.tsx';
import { BrowsePage } from './shop/browse-page.tsx';
import { CartPage } from './shop/cart-page.tsx';
import { HomePage } from './shop/home-page.tsx';
import { ProductPage } from './shop/product-page.tsx';
import { Loading } from './ui/loading.tsx';
import { NotFound } from './ui/not-found.tsx';

// Shoppers do not load what only the shop's own people use.
const Console = lazy(() => import('./console/console.tsx'));
const Quality = lazy(() => import('./quality/quality.tsx'));

export function App() {
  return (
    <Suspense fallback={<Loading />}>
      <Routes>
        <Route element={<Layout />}>
          <Route index element={<HomePage />} />
          <Route path="search" element={<BrowsePage />} />
          <Route path="category/:categoryId" element={<BrowsePage />} />
          <Route path="product/:id" element={<ProductPage />} />
          <Route path="cart" element={<CartPage />} />
          <Route path="console/*" element={<Console />} />
          <Route path="quality/*" element={<Quality />} />
          {/* Where an issuer sends people back to; signing in was finished before the app began. */}
          <Route path="signed-in" element={<Navigate to="/" replace />} />
          <Route path="*" element={<NotFound />} />
        </Route>
      </Routes>
    </Suspense>
  );
}

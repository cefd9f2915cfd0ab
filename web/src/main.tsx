import './ui/base.css';
import { ApolloProvider } from '@apollo/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { App } from './app.tsx';
import { client } from './client/apollo.ts';
import { restoreTheme } from './layout/theme.ts';
import { restoreSession } from './session/sign-in.ts';

restoreTheme();
// Else the first thing asked for would be asked for twice: as a visitor, and as who one is.
await restoreSession();

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <ApolloProvider client={client}>
      <BrowserRouter>
        <App />
      </BrowserRouter>
    </ApolloProvider>
  </StrictMode>,
);

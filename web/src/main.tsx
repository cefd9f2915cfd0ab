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
      {/* Filters live in the address: a transition would show a box as it was, and lose what is changed meanwhile. */}
      <BrowserRouter useTransitions={false}>
        <App />
      </BrowserRouter>
    </ApolloProvider>
  </StrictMode>,
);

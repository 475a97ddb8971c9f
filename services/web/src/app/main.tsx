import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { followLinks } from './shell/route.ts';
import { applyTheme } from './shell/theme.ts';
import './styles/tokens.css';
import './styles/controls.css';
import './styles/shell.css';
import './styles/conversations.css';
import './styles/messages.css';
import './styles/panels.css';

applyTheme();
followLinks();
const root = document.getElementById('root');
if (root === null) {
  throw new Error('the page has no #root');
}
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  // Without it the page works too, as long as there is a connection.
  navigator.serviceWorker.register('/sw.js').catch(() => {});
}

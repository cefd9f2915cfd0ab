/** The paths that are pages of this app. The gateway answers them, and no other, with the app. */
export const ROUTES = [
  '/',
  '/search',
  '/cart',
  '/category/*',
  '/product/*',
  '/console',
  '/console/*',
  '/quality',
  '/quality/*',
  '/signed-in',
];

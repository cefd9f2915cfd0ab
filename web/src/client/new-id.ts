/** 128 random bits, as text. crypto.randomUUID is only there on secure origins. */
export const newId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

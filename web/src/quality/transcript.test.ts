import { expect, it } from 'vitest';
import { readTranscript } from './transcript.ts';

it('reads who said what from pasted lines; a line without a speaker goes on with the one before', () => {
  expect(
    readTranscript('Customer: It broke.\nSee https://shop.example/1\n\nAgent (Mia) : So sorry: really.\n'),
  ).toEqual([
    { speaker: 'Customer', text: 'It broke.\nSee https://shop.example/1' },
    { speaker: 'Agent (Mia)', text: 'So sorry: really.' },
  ]);
  expect(readTranscript('It broke.')).toEqual([{ speaker: 'Customer', text: 'It broke.' }]);
  expect(readTranscript(' \n')).toEqual([]);
});

import { describe, expect, it } from 'vitest';
import { markEntities, sharedEntities } from './entities.ts';

const transcript = [
  { speaker: 'Customer', text: 'My Moonlit Lamp from order HM-10293 arrived broken. I paid ¥4,980.' },
  {
    speaker: 'Agent',
    text: 'I am so sorry. A replacement is on its way to ada@example.com and will arrive by 12 March.',
  },
];

describe('the entities of a summary', () => {
  it('are the names, numbers, amounts and addresses that the conversation has, too', () => {
    const summary =
      'The item arrived damaged: Moonlit Lamp, order HM-10293 for ¥4,980. A replacement arrives by 12 March. Mail: ada@example.com.';
    expect(sharedEntities(summary, transcript).sort()).toEqual(
      ['12', 'HM-10293', 'March', 'Moonlit Lamp', 'ada@example.com', '¥4,980'].sort(),
    );
  });

  it('are not the words that begin its sentences, nor what nobody said', () => {
    expect(sharedEntities('A refund of $90 was promised. My Ray called.', transcript)).toEqual([]);
  });

  it('are marked as whole words, as text', () => {
    expect(markEntities('By 12 March, not 112.', ['March', '12'])).toEqual([
      { text: 'By ', isEntity: false },
      { text: '12', isEntity: true },
      { text: ' ', isEntity: false },
      { text: 'March', isEntity: true },
      { text: ', not 112.', isEntity: false },
    ]);
    expect(markEntities('<b>x</b>', [])).toEqual([{ text: '<b>x</b>', isEntity: false }]);
  });
});

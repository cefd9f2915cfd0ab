import { useState } from 'react';
import type { ProductTileFragment } from '../graphql/graphql.ts';
import styles from './product-picture.module.css';

type Pictured = Pick<ProductTileFragment, 'name' | 'imageUrl' | 'category'>;

/** The product's own picture or, when it has none or it does not come, a print of the kind of thing it is. Only decorates: the name stands beside it. */
export function ProductPicture({ product }: { product: Pictured }) {
  const [broken, setBroken] = useState(false);
  if (product.imageUrl && !broken) {
    return (
      <div className={styles.picture}>
        <img src={product.imageUrl} alt="" loading="lazy" decoding="async" onError={() => setBroken(true)} />
      </div>
    );
  }
  const drawing = DRAWINGS.find(([kind]) => kind.test(product.category.name))?.[1];
  return (
    <div className={styles.picture} data-ink={inkOf(product.name)}>
      <svg viewBox="0 0 100 100" aria-hidden="true" focusable="false">
        <circle cx="50" cy="50" r="34" className={styles.sun} />
        {drawing ? (
          <path d={drawing} className={styles.drawing} />
        ) : (
          <text x="50" y="61" textAnchor="middle" className={styles.letter}>
            {product.name.slice(0, 1)}
          </text>
        )}
      </svg>
    </div>
  );
}

const INKS = 8;

/** Things of one make or style have one ink: names tell them apart by their first words. */
function inkOf(name: string): number {
  let sum = 0;
  for (const sign of name.split(/[ ,]/).slice(0, 2).join(' ')) sum = (sum * 31 + (sign.codePointAt(0) ?? 0)) % 9973;
  return sum % INKS;
}

/** What stands for a shelf by a word in its name; the first that fits. */
const DRAWINGS: [kind: RegExp, path: string][] = [
  [/wooden/i, 'M22 80C42 62 62 40 80 18M22 80l-4-4C38 54 58 34 77 15l3 3M30 64l7 7'],
  [
    /bag/i,
    'M24 80C20 76 20 70 26 64L66 20c4-4 12-2 14 4s-2 10-6 14L34 78c-4 4-8 4-10 2ZM58 22c-6-6-4-12 2-14M30 60l10 10M62 30l10 10',
  ],
  [
    /sheath|scabbard/i,
    'M18 82c-3-3-2-6 1-9L66 22c4-4 8-8 14-6 3 5-1 10-5 14L27 81c-3 3-6 4-9 1ZM58 30l12 12M40 52c6 0 8 6 4 10',
  ],
  [
    /guard/i,
    'M50 20a30 30 0 1 0 0 60 30 30 0 0 0 0-60ZM50 38c4 0 6 5 6 12s-2 12-6 12-6-5-6-12 2-12 6-12ZM30 44c4 2 4 10 0 12M70 44c-4 2-4 10 0 12M50 20v8M50 72v8',
  ],
  [/hilt|wrap/i, 'M38 16h24v68H38ZM38 22l24 12M62 22 38 34M38 40l24 12M62 40 38 52M38 58l24 12M62 58 38 70M36 84h28'],
  [
    /stand|mount|rack/i,
    'M20 80h60M28 80V34c0-6-6-6-6-12M72 80V34c0-6 6-6 6-12M24 50h8M76 50h-8M12 30c24 8 52 8 76 0M28 64h44',
  ],
  [/uniform/i, 'M36 18 20 28l4 20 8-3v37h36V45l8 3 4-20-16-10-14 16ZM50 34v48M32 60h36M60 45h6'],
  [
    /haori|cloth|robe|coat/i,
    'M36 16 14 30v26h14v26h44V56h14V30L64 16M36 16c4 8 8 14 10 24v42M64 16c-4 8-8 14-10 24v42M46 52h8M14 48h14M72 48h14',
  ],
  [
    /footwear|sandal|shoe/i,
    'M34 18c12 0 16 12 15 30s1 32-13 32-14-14-13-32-1-30 11-30ZM36 30c-6 6-11 10-13 16M36 30c6 6 11 10 13 16M70 26c9 0 11 12 10 26s1 26-10 26-11-12-10-26-1-26 10-26ZM70 38c-4 4-8 8-10 12M70 38c4 4 8 8 10 12',
  ],
  [/belt|leg/i, 'M16 42c22 6 46 6 68 0v14c-22 6-46 6-68 0ZM44 46l-8 34 10-4 4-28 6 30 10 2-12-34'],
  [
    /mask/i,
    'M22 26c18-8 38-8 56 0 2 26-8 46-28 56-20-10-30-30-28-56ZM32 44c4-4 10-4 14 0M54 44c4-4 10-4 14 0M50 44v14M40 66c6 4 14 4 20 0M26 24l-6-12M74 24l6-12',
  ],
  [/kit/i, 'M22 36h56v42H22ZM38 36v-8c0-4 4-6 12-6s12 2 12 6v8M22 54h56M46 50h8v8h-8Z'],
  [/oil|powder/i, 'M42 16h16v12c0 6 12 8 12 20v34H30V48c0-12 12-14 12-20ZM42 28h16M30 56h40M30 72h40'],
  [/stone|whet/i, 'M16 62l22-18h46v14L62 76H16ZM16 62h46M62 62v14M62 62l22-18M34 40C46 30 60 24 76 20'],
  [
    /earring/i,
    'M32 22a4 4 0 1 0 .1 0M32 30v8M22 38h20v40H22ZM68 22a4 4 0 1 0 .1 0M68 30v8M58 38h20v40H58ZM22 52h20M58 52h20M28 45h8M64 45h8',
  ],
  [/charm/i, 'M32 32h36v46H32ZM32 32l18-12 18 12M50 20c-8-8 8-8 0 0M42 44h16v22H42ZM50 78v10'],
  [/dojo|equipment/i, 'M20 78h60M26 78V44h48v34M16 44c14-4 24-12 34-24 10 12 20 20 34 24M42 78V58h16v20'],
  [/manual|book|scroll/i, 'M24 22h46c4 0 6 2 6 6v52H30c-4 0-6-2-6-6ZM24 72c0-4 2-6 6-6h46M38 22v44M50 34h16M50 42h16'],
  [/polearm|naginata|spear/i, 'M18 86 66 36M66 36c2-10 8-18 18-24 0 12-6 20-14 28ZM62 34l10 10M56 40l10 10'],
  [/tanto|dagger|knife/i, 'M30 74 70 28c4-4 8-6 12-8 0 6-3 10-7 14L37 80ZM26 66l16 16M30 74 18 86'],
  [
    /katana|wakizashi|blade|sword/i,
    'M31 72C48 54 66 34 84 12c-2 14-9 24-18 34L38 78ZM24 66l20 18M32 74 16 90M20 82l6 6',
  ],
];

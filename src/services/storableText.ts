/** The character 0 and halves of surrogate pairs: JSON carries them, PostgreSQL's text and jsonb refuse them. */
const REFUSED = /[\p{Surrogate}]|\0/u;
const ALL_REFUSED = /[\p{Surrogate}]|\0/gu;

/**
 * The same value without the characters that the database cannot hold, wherever they stand in it. One such character in
 * a memo would otherwise keep a whole page, and with it the stream, from ever being stored.
 * Values without any come back as they are, not copied.
 */
export function storable<T>(value: T): T {
  return cleaned(value) as T;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return REFUSED.test(value) ? value.replace(ALL_REFUSED, '') : value;
  if (Array.isArray(value)) {
    const items = value.map(cleaned);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const entries = Object.entries(value);
  const clean = entries.map(([key, item]) => [cleaned(key) as string, cleaned(item)] as const);
  const isSame = clean.every(([key, item], index) => key === entries[index]?.[0] && item === entries[index]?.[1]);
  return isSame ? value : Object.fromEntries(clean);
}

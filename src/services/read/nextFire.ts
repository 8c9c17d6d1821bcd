import cron from 'node-cron';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A leap day on a given weekday comes at the latest after 40 years (1896 to 1904 aside); nobody waits longer. */
const DAYS_MAX = 366 * 40;

/**
 * The first instant after `now` at which the schedule fires, or null when it is not a schedule or never fires.
 *
 * node-cron's own matcher says what fires, so that this cannot disagree with the scheduler; it is only asked about
 * instants that the expression's hours, minutes and seconds allow. A local time that a change of the clocks leaves out
 * does not fire on that day; one that comes twice fires twice.
 */
export function nextFire(expression: string, timeZone: string, now: Date): Date | null {
  if (!cron.validate(expression) || !isTimeZone(timeZone)) return null;
  const fields = cron.parse(expression);
  const task = cron.createTask(expression, () => undefined, { timezone: timeZone });
  try {
    const today = Math.floor((now.getTime() + offsetAt(timeZone, now.getTime())) / DAY_MS) * DAY_MS;
    for (let day = 0; day < DAYS_MAX; day += 1) {
      const midnight = today + day * DAY_MS;
      if (!fields.month.includes(new Date(midnight).getUTCMonth() + 1)) continue;
      const fire = firstOfDay(midnight, fields, timeZone, now.getTime(), (instant) => task.match(instant));
      if (fire) return fire;
    }
    return null;
  } finally {
    void task.destroy();
  }
}

interface TimeFields {
  readonly hour: readonly number[];
  readonly minute: readonly number[];
  readonly second: readonly number[];
}

/** @param midnight the local day's beginning, read as if it were UTC. */
function firstOfDay(
  midnight: number,
  fields: TimeFields,
  timeZone: string,
  after: number,
  fires: (instant: Date) => boolean,
): Date | null {
  for (const hour of sorted(fields.hour)) {
    const local = midnight + hour * HOUR_MS;
    const instants = sorted(instantsOfHour(local, fields, timeZone)).filter((instant) => instant > after);
    const [first] = instants;
    if (first === undefined) continue;
    // Whether the day fits depends on the day alone, so the first instant answers for all.
    return fires(new Date(first)) ? new Date(first) : null;
  }
  return null;
}

/** Every instant that local clocks show as one of the hour's minutes and seconds: none, one or two for each. */
function instantsOfHour(local: number, fields: TimeFields, timeZone: string): number[] {
  const offsets = new Set([offsetAt(timeZone, local - DAY_MS), offsetAt(timeZone, local + DAY_MS)]);
  return fields.minute.flatMap((minute) =>
    fields.second.flatMap((second) => {
      const time = local + minute * 60_000 + second * 1_000;
      return [...offsets].map((offset) => time - offset).filter((at) => at + offsetAt(timeZone, at) === time);
    }),
  );
}

function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local time less UTC, in milliseconds. */
function offsetAt(timeZone: string, instant: number): number {
  const seconds = Math.floor(instant / 1_000) * 1_000;
  const parts = new Map<string, number>(
    formatOf(timeZone)
      .formatToParts(seconds)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: string) => parts.get(type) ?? 0;
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return local - seconds;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

function isTimeZone(timeZone: string): boolean {
  try {
    formatOf(timeZone);
    return true;
  } catch {
    return false;
  }
}

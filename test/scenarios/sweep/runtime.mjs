// Loaded before an instrumented program (see `boundaries.ts`): listens to its boundaries, tells the sweep over the channel
// between the two which of them were passed, and ends the process at the one that the sweep names, in mid-air.
import { Socket } from 'node:net';

const SIDES = { before: 0, after: 1 };

/** What was passed since the last question, in order, each the first time only: boundary, side, exchanges until then. */
let passings = [];
let known = new Set();
/** What went out of any socket or came in so far. While it stays the same, nobody outside can tell two moments apart. */
let exchanges = 0;
let target = targetFrom(new URL(import.meta.url).searchParams);

function targetFrom(parameters) {
  const boundary = parameters.get('boundary');
  return boundary === null ? null : keyOf(Number(boundary), parameters.get('side'));
}

function keyOf(boundary, side) {
  return boundary * 2 + SIDES[side];
}

function pass(boundary, side) {
  const key = keyOf(boundary, side);
  // No handler and no `finally` runs after this, and nothing that is still in a buffer of this process leaves it.
  if (key === target) process.kill(process.pid, 'SIGKILL');
  if (known.has(key)) return;
  known.add(key);
  passings.push({ boundary, side, exchanges });
}

for (const name of ['_write', '_writev', 'push']) {
  const original = Socket.prototype[name];
  Socket.prototype[name] = function counted(...given) {
    exchanges += 1;
    return original.apply(this, given);
  };
}

globalThis.sweepBefore = (boundary) => pass(boundary, 'before');

globalThis.sweepAfter = (boundary, value) => {
  pass(boundary, 'after');
  return value;
};

globalThis.sweepEach = async function* (boundary, values) {
  const iterator = values[Symbol.asyncIterator]?.() ?? values[Symbol.iterator]();
  let isDone = false;
  try {
    for (;;) {
      pass(boundary, 'before');
      const step = await iterator.next();
      pass(boundary, 'after');
      if (step.done) {
        isDone = true;
        return;
      }
      yield step.value;
    }
  } finally {
    if (!isDone) await iterator.return?.();
  }
};

process.on('message', (message) => {
  if (message.ask === 'passings') {
    process.send({ passings });
    passings = [];
    known = new Set();
  } else if (message.ask === 'die') {
    target = message.at === null ? null : keyOf(message.at.boundary, message.at.side);
    process.send({ armed: true });
  }
});
// The channel keeps no program alive that has come to its end.
process.channel?.unref();

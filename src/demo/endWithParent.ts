/**
 * Loaded before a child's own program (`node --import`): when the process that started it is gone, however it went, the
 * child is asked to stop as by SIGTERM. The parent holds the other end of standard input and never writes to it; a killed
 * parent sends no signal, but its end of the pipe is closed by the system.
 */
let isStopping = false;
process.on('SIGTERM', () => {
  isStopping = true;
});
process.stdin.once('end', () => {
  // A second SIGTERM would read as impatience and cut the orderly stop short.
  if (!isStopping) process.kill(process.pid, 'SIGTERM');
});
process.stdin.on('error', () => undefined);
process.stdin.resume();

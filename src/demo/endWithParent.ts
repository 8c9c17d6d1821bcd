/**
 * Loaded before a child's own program (`node --import`): when the process that started it is gone, however it went, the
 * child is asked to stop as by SIGTERM. The parent holds the other end of standard input and never writes to it; a killed
 * parent sends no signal, but its end of the pipe is closed by the system.
 *
 * No listener for SIGTERM here: it would swallow one that comes before the program has installed its own.
 */
process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.on('error', () => undefined);
process.stdin.resume();
// Listening to the pipe must not keep a child alive whose own work is over. A pipe is a socket, whatever the type says.
if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();

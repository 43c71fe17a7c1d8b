// SPDX-License-Identifier: BSD-2-Clause
// A primary that binds, and two workers: says what VERSION is in its environment.
const cluster = require('cluster');

if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  require('http').createServer((_, response) => response.end(process.env.VERSION + '\n')).listen(8080, '127.0.0.1');
}

# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# The primary listens, the workers accept.
package nodejs
title "node, cluster"

start() {
  cat >cluster.js <<CODE
const cluster = require('cluster');
if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  require('http').createServer((q, r) => r.end('worker reached port ' + q.socket.localPort)).listen($PORT);
}
CODE
  serve node cluster.js
}

ask() {
  http "$1" "$2" | says "worker reached port $2"
}

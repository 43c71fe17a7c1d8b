# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Many listeners of its own: the service is named by --for. Its scheduler's threads listen; it answers when it has
# started all of itself.
package rabbitmq-server
title RabbitMQ
user rabbitmq
options --for 5672
port 5672
patience 60
again 30

start() {
  export RABBITMQ_MNESIA_BASE=$T/db RABBITMQ_LOG_BASE=$T/log.d RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_NODE_PORT=$PORT
  export RABBITMQ_ENABLED_PLUGINS_FILE=$T/plugins RABBITMQ_PID_FILE=$T/pid
  serve /usr/lib/rabbitmq/bin/rabbitmq-server
}

ask() {
  exchange "$1" "$2" tcp 'AMQP\0\0\11\1' | says product RabbitMQ
}

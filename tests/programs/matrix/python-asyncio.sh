# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Both sockets are bound before the first of them listens.
package python3
title "python asyncio"

start() {
  serve /usr/bin/python3 -c "
import asyncio
async def hello(reader, writer):
    writer.write(b'asyncio reached port %d\n' % writer.get_extra_info('sockname')[1])
    writer.close()
async def main():
    await (await asyncio.start_server(hello, None, $PORT)).serve_forever()
asyncio.run(main())"
}

ask() {
  talk "$1" "$2" 1 | says "asyncio reached port $2"
}
